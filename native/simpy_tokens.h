/* The tokens of the dialects of SimPy. What simpy_grammar.simpy_tokens does with regular expressions. */

#ifndef SIMPY_SIMPY_TOKENS_H
#define SIMPY_SIMPY_TOKENS_H

#include "reader.h"

/* Flags of tokens. */
enum {
    OPENS_STRING = 1,    /* it opens a string with fields */
    ENDS_STRING = 2,     /* it ends one */
    ENDS_HEADER = 4,     /* a block start that begins with a colon, and goes on */
    SETTLES_AT_END = 8,  /* where it ends a text that may go on, it stays what it is */
    ENDS_BRACKETS = 16,  /* it implies the closing brackets before it */
};

/* Flags of the places in a trie. */
enum { MAY_GO_ON = 1, IS_KEYWORD = 2 };

typedef const char *(*Matcher)(const char *at, const char *end, int detail); /* the end of the match; NULL: there is none */

typedef struct {
    int16_t token;
    int16_t detail;
    Matcher match;
} OwnPattern;

enum { OWN_PATTERNS = 26 };
enum { MOST_ALIASES = 10000 };

struct SimPyTokens {
    int name, number, number_dot, string, comment, inner_comment, field, colon; /* tokens; -1: there is no such */
    int openings[2][4];                                                   /* [raw][quotes] */
    int endings[4];                                                       /* [quotes]: ', ", ''', """ */
    uint8_t *flags;                                                       /* token -> flags of tokens */
    uint8_t first[256];                                                   /* byte -> how a token that begins with it is found */
    uint8_t column[256];                                                  /* byte -> its column of the trie; 0: it is nowhere in it */
    uint16_t *next;                                                       /* [place * columns + column]: the next place, 0 if there is none; 0 is the root */
    int16_t *spelled;                                                     /* place -> the token that is spelled so far, or -1 */
    uint8_t *place_flags;
    size_t columns, places, places_room;
    size_t longest; /* of the texts in the trie, and of the aliases */
    size_t horizon; /* what stands more than so many bytes after a token does not change it */
    int aliases;    /* how many aliases of names there are: <n0>, <n1>, ... */
    size_t margin;  /* an alias of a name begins, if it does, fewer characters than this before the end of what has arrived */
    int is_open;      /* closing brackets are implied */
    int closers[4];   /* what closes (, [, { and parameters, if they are; -1: the grammar implies it */
    int angles_alike; /* every text in angle brackets is a token, though maybe an unknown one */
    OwnPattern patterns[OWN_PATTERNS]; /* in the order in which a state tries them; all literals come after them */
};

/* Bodies of strings that are known not to end: any that begins within these, by quotes. For the time of one text only. */
typedef struct {
    const char *from[4], *to[4];
} Unclosed;

typedef struct {
    int token; /* -1: none that is known */
    const char *end;
} Token;

/* The token that begins at `at` and reads alike in every state; what is none is one character. `at` is before `end`. */
Token simpy_token(const SimPyTokens *tokens, const char *at, const char *end, Unclosed *unclosed);

/* The token that begins there in one state, by the patterns of the tokens that can stand there. */
Token simpy_token_in(const SimPyTokens *tokens, const Tables *tables, int state, const char *at, const char *end);

/* Whether a text is the beginning of a longer token of which no pattern knows the beginning. */
int simpy_token_begun(const SimPyTokens *tokens, const char *at, const char *end);

const char *simpy_word_end(const char *at, const char *end); /* the same place if no word begins there */

/* The end of the alias that begins there, whether the dialect has it or not, and its number; NULL: there is none. */
const char *simpy_alias_end(const char *at, const char *end, int *number);

#endif
