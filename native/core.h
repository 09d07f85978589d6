/* What all parts of the native core share: bytes that grow, lexemes, tables, the automaton.

   Text is UTF-8 here. Offsets and sizes are those of bytes; the bindings turn them into characters where Python sees them.
   Nothing here calls itself: what nests is kept on stacks that grow. Functions that may fail return a Result. */

#ifndef SIMPY_CORE_H
#define SIMPY_CORE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "terminals.h" /* made by native/generate.py from simpy_grammar/terminals.py when the extension is built */

typedef enum {
    DONE = 0,    /* it has worked */
    CANNOT = 1,  /* the native core does not do this, or the text is wrong: the Python path does it, or says what is wrong */
    NO_MEMORY = 2,
} Result;

#define TRY(call)                     \
    do {                              \
        Result tried_ = (call);       \
        if (tried_ != DONE)           \
            return tried_;            \
    } while (0)

/* The largest text, in bytes, so that all offsets and all sums of two of them fit 32 bits. */
#define LARGEST_TEXT ((size_t)1 << 30)

/* The largest program. A lexeme may be longer than its text, as a comment is with its mark, and its offset has 32 bits all the same. */
#define LARGEST_PROGRAM (LARGEST_TEXT / 8)

/* ------------------------------------------------------------------------------------------------ bytes that grow */

typedef struct {
    char *data;
    size_t size, room;
} Buffer;

Result buffer_reserve(Buffer *buffer, size_t more); /* room for so many bytes after the last one */
void buffer_free(Buffer *buffer);
void buffer_drop(Buffer *buffer, size_t count); /* forget the first bytes */

static inline Result buffer_add(Buffer *buffer, const char *text, size_t size) {
    if (buffer->room - buffer->size < size)
        TRY(buffer_reserve(buffer, size));
    if (size)
        memcpy(buffer->data + buffer->size, text, size);
    buffer->size += size;
    return DONE;
}

static inline Result buffer_add_byte(Buffer *buffer, char byte) {
    if (buffer->room == buffer->size)
        TRY(buffer_reserve(buffer, 1));
    buffer->data[buffer->size++] = byte;
    return DONE;
}

/* Make room for `count` items of `size` bytes in an array that grows; `room` is in items. */
Result array_reserve(void **items, size_t *room, size_t count, size_t size);

/* How many characters some UTF-8 is. */
static inline size_t characters(const char *text, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* Classes of bytes, as the patterns of the tokens have them: every byte of a character beyond ASCII is one of a name. */
enum { NAME_BYTE = 1, NAME_START_BYTE = 2, DIGIT_BYTE = 4, BLANK_BYTE = 8 }; /* blanks: space, tab, form feed */
extern const unsigned char byte_class[256];
static inline int is_name_byte(char byte) { return byte_class[(unsigned char)byte] & NAME_BYTE; }
static inline int is_name_start(char byte) { return byte_class[(unsigned char)byte] & NAME_START_BYTE; }
static inline int is_digit(char byte) { return byte_class[(unsigned char)byte] & DIGIT_BYTE; }
static inline int is_blank(char byte) { return byte_class[(unsigned char)byte] & BLANK_BYTE; }

/* --------------------------------------------------------------------------------------------------------- lexemes */

/* Terminals are the ids of simpy_grammar.terminals (T_NAME and so on, see terminals.h). These two are none: */
#define T_PENDING 255 /* the next token tells which terminal it is */
#define NO_TERMINAL 254   /* no lexeme at all */

typedef struct {
    uint32_t at;      /* where its text starts: in the text that is read, or in what the reader has made itself */
    uint32_t size;    /* of its text; 0 if it is implied */
    uint32_t start;   /* where it starts in the text that is read, for source maps */
    uint8_t terminal;
    uint8_t is_made;  /* its text is in Stream.made */
} Lexeme;

/* The lexemes of a program, as far as they have been read and are not dropped. */
typedef struct {
    Lexeme *items;
    size_t count, room;
    Buffer text; /* the text that is read, from offset `base` on */
    size_t base;
    Buffer made; /* texts that do not stand in it as they are, such as a comment with its mark */
} Stream;

void stream_free(Stream *stream);
Result stream_add(Stream *stream, Lexeme lexeme);
Result stream_insert(Stream *stream, size_t index, Lexeme lexeme);
void stream_delete(Stream *stream, size_t index);
void stream_drop(Stream *stream, size_t count); /* forget the first lexemes; texts that only they needed may go too */

static inline const char *lexeme_text(const Stream *stream, const Lexeme *lexeme) {
    return lexeme->is_made ? stream->made.data + lexeme->at : stream->text.data + (lexeme->at - stream->base);
}

/* ---------------------------------------------------------------------------------------------------------- tables */

typedef struct {
    uint16_t name;    /* of the rule */
    uint8_t length;   /* how many states its reduction takes away */
    uint8_t terminal; /* that the reduction stands for; NO_TERMINAL mostly */
} Rule;

typedef struct {
    char *text; /* a string to find, or a regular expression */
    size_t size;
    int is_pattern;
} Pattern;

/* What a row has in a column. Rows lie over each other: a cell is of a row if it is of the column that it is looked for in. */
typedef struct {
    uint16_t column;
    int16_t value;
} Cell;

/* LALR(1) tables, as simpy_grammar.tables writes them; never changed once they are made, so threads share them. */
typedef struct {
    int tokens, names, rules, states, end; /* how many there are; `end` is the token at the end of a text */
    char **token_names;                    /* token -> what the grammar calls it */
    Pattern *patterns;                     /* token -> how its text looks */
    Rule *rule;
    uint32_t *acting;  /* state -> where its row of actions begins */
    Cell *actions;     /* in the column of a token: state + 1 shifted, -1 - rule reduced */
    uint32_t *going;   /* state -> where its row of gotos begins */
    Cell *gotos;       /* in the column of a name: the next state */
    uint8_t *shifted;  /* state -> terminal that a shift into it reads, T_PENDING, or NO_TERMINAL for a terminal that is dropped or a reduction */
    uint8_t *raw;      /* state -> the same terminal even if it is dropped */
} Tables;

Result tables_make(Tables **made, const char *data, size_t size); /* CANNOT: it is not that of tables */
void tables_free(Tables *tables);
int token_named(const Tables *tables, const char *name); /* the token with a name of the grammar, or -1 */
int token_spelled(const Tables *tables, const char *text, size_t size); /* the token whose text this is, or -1; for setting up */

/* What a state does with a token: 0 refuses it, state + 1 shifts, -1 - rule reduces. */
static inline int action_of(const Tables *tables, int state, int token) {
    Cell cell = tables->actions[tables->acting[state] + (uint32_t)token];
    return cell.column == token ? cell.value : 0;
}

/* The state after a rule with that name, on top of a state; -1 if there is none. */
static inline int goto_of(const Tables *tables, int state, int name) {
    Cell cell = tables->gotos[tables->going[state] + (uint32_t)name];
    return cell.column == name ? cell.value : -1;
}

/* ------------------------------------------------------------------------------------------------------- automaton */

/* A row of reductions that take one state away and stand for nothing: where it leads from a state, below another one. */
typedef struct {
    uint16_t below, state, token;
    uint16_t next; /* plus 1; 0: none is remembered here */
} Chain;

enum { CHAINS = 2048 };

typedef struct {
    const Tables *tables;
    Chain *chains; /* those that came last; most tokens cause one that has come before */
    uint16_t *stack;
    size_t depth, room;
    Stream stream;
    /* for one step: */
    uint16_t *above;
    size_t above_room;
    size_t emitted_room;
    uint8_t *emitted;
} Automaton;

Result automaton_start(Automaton *automaton, const Tables *tables); /* zeroed memory is expected */
void automaton_free(Automaton *automaton);
static inline int automaton_state(const Automaton *automaton) { return automaton->stack[automaton->depth - 1]; }

/* Read a token: `lexeme` holds all but the terminal. CANNOT, and nothing is changed: it cannot stand here. */
Result automaton_push(Automaton *automaton, int token, Lexeme lexeme);

/* Whether some tokens may come next, one after the other: DONE or CANNOT. */
Result automaton_accepts(Automaton *automaton, const int *tokens, int count);

/* The terminal of the innermost bracket that is open in the current statement (T_FIELD_START for a field of a string), or NO_TERMINAL. */
int automaton_innermost(const Automaton *automaton);

/* How many lexemes of the stream the automaton may still change the last of: all but a pending one. */
static inline size_t automaton_settled(const Automaton *automaton) {
    size_t count = automaton->stream.count;
    return count && automaton->stream.items[count - 1].terminal == T_PENDING ? count - 1 : count;
}

#endif
