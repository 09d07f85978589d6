/* What the two halves of the reader of Python share: python_lexer.c makes tokens of text, python_reader.c gives them to
   the automaton.

   Tokens wait in a queue until no later text can change them. What cannot be told from one token alone is written first and
   put right when it is known: `match`, when its line ends; the parentheses of `with` and `import`, when they close; a field
   that keeps its text, at its `=`; a comma before comments, at the bracket that closes after them. */

#ifndef SIMPY_PYTHON_H
#define SIMPY_PYTHON_H

#include "reader.h"

#define UNKNOWN_TOKEN (-1) /* no token of the tables: it is refused where it stands */
#define INNER_TOKEN (-2)   /* a comment inside brackets, whose place is found later */
#define NOWHERE ((size_t)-1)
#define NO_START ((uint32_t)-1) /* of a lexeme that starts where the next one does */

/* ---------------------------------------------------------------------------------------------------------- tokens */

/* How the text of a token is made. */
enum {
    FORM_TEXT,     /* as it stands */
    FORM_EMPTY,    /* none */
    FORM_COMMENT,  /* with a line feed, at the end of the text */
    FORM_INNER,    /* a comment after code inside brackets */
    FORM_OWN,      /* a comment on a line of its own inside brackets */
    FORM_VERBATIM, /* the text of a field that keeps it */
    FORM_DOTS,     /* so many dots */
    FORM_NOT_IN,   /* from here on: the same text however it is written */
    FORM_IS_NOT,
    FORM_PARAMETERS,
    FORM_EXCEPT_STAR,
    FORM_FUTURE,
    FORM_NUMBER_DOT,
    FORM_FIELD_SPACE,
    FORMS
};
extern const char *const python_form_text[FORMS]; /* of the last ones */

typedef struct {
    uint32_t at, size;        /* the text that it is made from, in the whole text */
    uint32_t start, end;      /* where it counts as starting and ending */
    uint32_t comments_before; /* how many comments inside brackets stand right before it in the queue */
    int16_t token;
    uint8_t form;
    uint8_t is_mark; /* the start of a field that keeps its text: what is read from here on is taken back at its FORM_VERBATIM */
} Token;

/* A word that means something to the lexer. */
enum {
    WORD_OTHER,
    WORD_DEF,
    WORD_WITH,
    WORD_FROM,
    WORD_EXCEPT,
    WORD_MATCH,
    WORD_CASE,
    WORD_TYPE,
    WORD_LAZY,
    WORD_LAMBDA, /* from here on: at its place inside a statement, too */
    WORD_NOT,
    WORD_IS,
};
enum { BEGINS_NOTHING, BEGINS_PREFIX, BEGINS_SIMPLE, BEGINS_COMPOUND };

typedef struct {
    const char *text;
    uint8_t size;
    uint8_t which;     /* WORD_... */
    uint8_t statement; /* BEGINS_... */
    uint8_t is_soft, is_clause;
    int8_t next;            /* word with the same first letter, or -1 */
    int16_t plain, begins; /* its tokens, inside a statement and at the start of one */
} Word;

typedef struct {
    int16_t alone, with_equals, twice, twice_with_equals;
    uint8_t can_equal, can_double;
} Sign;

enum { MOST_WORDS = 64 };

struct PythonTokens {
    Word words[MOST_WORDS];
    int word_count;
    int8_t word_first[128];
    uint16_t word_sizes[128]; /* a bit for each size of the words with this first letter */
    uint8_t first[256];       /* byte -> what it begins, one of the kinds of python_lexer.h */
    Sign signs[128];
    int16_t name, number, string, line_sep, indent, dedent, concat, number_dot, comment, inner_comment;
    int16_t field_start, field_verbatim, field_conversion, format_text, import_prefix;
    int16_t string_start[2][7], string_text[2][7], string_end[7]; /* [is raw][1, 2, 3 or 6, as the names have it] */
    int16_t comma, dot, star, colon, arrow, ellipsis, walrus, close_brace;
    int16_t for_, yield_, as, import, begin_with, begin_future, begin_except_star, begin_match, begin_decorator;
    int16_t with_open, with_close, with_around, import_open, import_close, empty_parameters, not_in, is_not;
};

/* ---------------------------------------------------------------------------------------------------------- reader */

enum { IN_STRING = 'T', IN_FORMAT = 'F', FIELD = 'f' }; /* brackets beside ( [ { */

typedef struct {
    uint32_t offset; /* where it opens in the whole text */
    uint8_t kind;    /* the sign itself or one of the above */
    uint8_t owner;   /* WORD_WITH or WORD_FROM if it may be the statement's own */
    uint8_t is_undecided;
    uint8_t keeps_text;       /* a field: its text is kept; a string: its fields may keep theirs */
    uint8_t quote, is_raw;    /* of a string: 1, 2, 3 or 6, as the names of the tokens have it */
    size_t index;             /* of its token, counted from the first token of the text */
} Bracket;

typedef struct {
    uint32_t column, narrow; /* of its first statement: tabs to the next multiple of eight, and as one column */
    uint8_t is_inline;       /* it stands on the line of its header */
    uint8_t has_cases;
} Indent;

typedef struct {
    uint32_t at, size, column;
    uint8_t is_own;
} Comment;

typedef struct {
    size_t depth, count, comments; /* of the stack and the stream after the field has opened; of the comments that waited before */
} Mark;

typedef struct {
    Reader reader;
    const PythonTokens *tokens;

    /* The lexer. Offsets without another word are those in the bytes of stream.text. */
    size_t at, length; /* where reading goes on; how much is read: what lies beyond waits */
    Token *queue;
    size_t queue_count, queue_room;
    size_t taken; /* how many tokens have left the queue */
    Bracket *brackets;
    size_t bracket_count, bracket_room;
    size_t undecided, first_undecided; /* how many brackets are undecided, and which is the outermost one */
    size_t fields;                     /* how many are open */
    Indent *indents;
    size_t indent_count, indent_room;
    Buffer indent_text; /* what lines of the current block begin with ... */
    int has_indent;     /* ... unless it ends with its line */
    Comment *own;       /* own-line comments before the next statement */
    size_t own_first, own_count, own_room;
    size_t soft; /* index in the queue of a `match` that may begin a statement, or NOWHERE */
    int last;    /* the last token that has left the queue, comments inside brackets aside */
    uint32_t lambdas;
    uint8_t line_start;  /* at the start of a line, outside brackets */
    uint8_t first;       /* at the start of a statement ... */
    uint8_t fresh;       /* ... that is the first of its line */
    uint8_t simple;      /* the last statement is simple, and no comment ended its line */
    uint8_t header;      /* a header waits for its colon */
    uint8_t opening;     /* a block is to open: 1, or WORD_MATCH */
    uint8_t word;        /* that the statement begins with: WORD_DEF, WORD_WITH, WORD_FROM or WORD_OTHER */
    uint8_t blank;       /* the line is blank as far as its beginning has been dropped */
    char open_quote;     /* three of these must come before the string goes on that is read next; 0 if there is none */
    size_t waiting_characters, waiting_last, waiting_before; /* of the pieces beyond `length`; the sizes of the last two */
    size_t rest_characters; /* between `at` and `length`; NOWHERE if they are not counted */

    /* The reader. */
    Comment *comments; /* that wait for their place */
    size_t comment_count, comment_room;
    int strings; /* how many strings with fields have opened since the first of them */
    Mark *marks;
    size_t mark_count, mark_room;
    uint32_t position; /* end of the last token that was read, in the whole text */
    size_t seen;       /* how many lexemes of the stream have been looked at for ... */
    long depth;        /* ... how many brackets are open after them */
    size_t row;        /* ... and where the first comma of a row stands that may be one of targets, or NOWHERE */
    Lexeme *odd;       /* names beyond ASCII */
    size_t odd_count, odd_room;
} PythonReader;

static inline const char *python_text(const PythonReader *reader) { return reader->reader.automaton.stream.text.data; }
static inline uint32_t python_base(const PythonReader *reader) { return (uint32_t)reader->reader.automaton.stream.base; }

void python_first_bytes(uint8_t first[256]); /* fill PythonTokens.first */

/* Lex what has arrived up to `length`, as far as no later text can change it; with `final` all of it. */
Result python_lex(PythonReader *reader, int final);
size_t python_settled_tokens(const PythonReader *reader); /* how many tokens of the queue no later text can change */

/* Give the first tokens of the queue to the automaton. */
Result python_deliver(PythonReader *reader, size_t count);

#endif
