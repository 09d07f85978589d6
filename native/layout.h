/* What the parts of the layout of Python share: the text of lexemes, how lines begin, and what breaks lines.

   The comments in transpiler/break_queue.py and transpiler/line_breaks.py say how lines break; this does the same. */

#ifndef SIMPY_LAYOUT_H
#define SIMPY_LAYOUT_H

#include "core.h"

/* --------------------------------------------------------------------------------------------------------- pieces */

/* The text of a lexeme in Python. */
typedef struct {
    const char *text;
    size_t size;
} Piece;

enum { DEBUG_SIZE = 7, COMMENT_SIZE = 9 }; /* of "<debug>" and "<comment>" */

static inline Piece piece_of(const Stream *stream, const Lexeme *lexeme) {
    size_t spelled = terminal_spelled_size[lexeme->terminal];
    if (spelled)
        return (Piece){terminal_spelled[lexeme->terminal], spelled};
    if (!lexeme->size || lexeme->terminal == T_WITH_PARENTHESES)
        return (Piece){"", 0};
    const char *text = lexeme_text(stream, lexeme);
    if (lexeme->terminal == T_FIELD_VERBATIM)
        return (Piece){text + DEBUG_SIZE, lexeme->size - 2 * DEBUG_SIZE};
    return (Piece){text, lexeme->size};
}

static inline int has_line_feed(Piece piece) { return piece.size && memchr(piece.text, '\n', piece.size) != NULL; }

/* ----------------------------------------------------------------------------------------------------- line starts */

/* A line feed, what every line begins with, and indents: any line begins with some of this. */
typedef struct {
    Buffer text;
    size_t base_size, indent_size;
    int64_t base_width, indent_width; /* in characters */
    int depth;                        /* how many indents there are */
} LineStarts;

enum { LONGEST_INDENT = 1 << 16 };

Result line_starts_make(LineStarts *starts, const char *indent, size_t indent_size, const char *base, size_t base_size);
Result add_line_start(LineStarts *starts, int depth, Buffer *out);
static inline int64_t indent_width(const LineStarts *starts, int depth) { return starts->base_width + starts->indent_width * depth; }

/* ----------------------------------------------------------------------------------------------------- break queue */

#define NOWHERE ((int64_t)1 << 60) /* a place that no line reaches */
#define NO_GROUP UINT32_MAX
#define UNDECIDED (-1)

typedef struct {
    int64_t start, limit;
    uint32_t users; /* how many items, brackets and lists hold it; the next free one if it is free */
    int8_t broken;  /* 0, 1 or UNDECIDED */
    uint8_t comma;
    uint8_t is_open; /* while a literal is written: whether it is that of separators of an open bracket */
} Group;

/* A text or a break that is held. */
typedef struct {
    int64_t place;
    size_t size;     /* of a text, which stands in `texts` */
    uint32_t group;  /* NO_GROUP: this is a text */
    uint32_t comma;
    uint8_t level;
    uint8_t is_blank;  /* a blank stands there if the line does not break */
    uint8_t opens;     /* a parenthesis ends the line if it does */
    uint8_t separates;
} Item;

typedef struct {
    uint32_t *items;
    size_t count, room;
} Groups;

typedef struct {
    Buffer *out;
    int64_t width;
    LineStarts *starts;
    int64_t total;
    Item *items; /* those that are held: from `first` to `count` */
    size_t first, count, room;
    Buffer texts; /* of held items, from `texts_at` on */
    size_t texts_at;
    Group *groups;
    size_t groups_made, groups_room;
    uint32_t free_group;
    Groups ended;
    int newline; /* a line break that waits for what follows it: how much deeper that indents; -1: none */
    int depth;
    int64_t shift, line_at, flat_until;
    int is_commented, has_gap;
} BreakQueue;

void queue_begin(BreakQueue *queue, int depth);
void queue_free(BreakQueue *queue);
Result queue_text(BreakQueue *queue, Piece piece);
/* Add `item`, all of which but its place is set. */
Result queue_break(BreakQueue *queue, Item item);
Result queue_end_line(BreakQueue *queue);
Result queue_go_on(BreakQueue *queue, Piece piece);
Result queue_comment(BreakQueue *queue, Piece piece, int level, int is_own_line);
Result queue_element(BreakQueue *queue, Piece piece, int level);
Result queue_decide(BreakQueue *queue);
void queue_flatten(BreakQueue *queue); /* all breaks that are held and not decided are none */
static inline int queue_holds(const BreakQueue *queue) { return queue->first != queue->count; }
/* How many columns a line of its own has. */
static inline int64_t queue_room(const BreakQueue *queue, int level) {
    return queue->width - indent_width(queue->starts, queue->depth + level);
}

Result group_new(BreakQueue *queue, int64_t start, int broken, uint32_t *made); /* with one user */
void group_leave(BreakQueue *queue, uint32_t group);
Result groups_add(Groups *groups, uint32_t group); /* the list becomes the user */

/* ---------------------------------------------------------------------------------------------------- line breaker */

enum { DEEPEST_BRACKET = 20 };

typedef struct {
    int rank;
    uint32_t group;
} RankChain;

typedef struct {
    int64_t start, operand;
    uint32_t group, separators;
    int level, takes_comma, is_torn, is_import;
    int chain_count;
    RankChain chains[K_TIGHTEST]; /* ranks grow */
} Bracket;

typedef struct {
    BreakQueue queue;
    Bracket brackets[DEEPEST_BRACKET + 1]; /* an import may add one */
    int bracket_count;
    Groups of_header;
    int quotes, deep, is_async;
    uint32_t import_group; /* NO_GROUP: there is none */
    Stream waiting; /* lexemes that wait for the ones after them */
    size_t seen;    /* how many comments begin them */
    Buffer joined;
} LineBreaker;

void breaker_begin(LineBreaker *breaker, int depth);
void breaker_free(LineBreaker *breaker);
Result breaker_write(LineBreaker *breaker, const Stream *stream, size_t first, size_t end, int final);
Result breaker_end(LineBreaker *breaker, int colon);
static inline int64_t breaker_column(const LineBreaker *breaker) { return breaker->queue.total + breaker->queue.shift; }

#endif
