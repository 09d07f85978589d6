/* Where a logical line may break. What transpiler.line_breaks does. */

#include "layout.h"

#include <stdlib.h>

enum { SMALL = 8, MOST_ITEMS = 99 };

/* The lexemes of a line that are at hand: those that have waited, then those that have come. */
typedef struct {
    const Stream *waiting, *stream;
    const Lexeme *items; /* of `stream` */
    size_t waited, count;
} Line;

static inline const Lexeme *line_lexeme(const Line *line, size_t at) {
    return at < line->waited ? &line->waiting->items[at] : &line->items[at - line->waited];
}

static inline int line_kind(const Line *line, size_t at) { return terminal_kind[line_lexeme(line, at)->terminal]; }

static inline Piece line_piece(const Line *line, size_t at) {
    return piece_of(at < line->waited ? line->waiting : line->stream, line_lexeme(line, at));
}

/* The texts of some lexemes in one. */
static Result join(LineBreaker *breaker, const Line *line, size_t at, size_t end, Piece *joined) {
    if (at + 1 == end) {
        *joined = line_piece(line, at);
        return DONE;
    }
    breaker->joined.size = 0;
    for (; at < end; at++) {
        Piece piece = line_piece(line, at);
        TRY(buffer_add(&breaker->joined, piece.text, piece.size));
    }
    *joined = breaker->joined.size ? (Piece){breaker->joined.data, breaker->joined.size} : (Piece){"", 0};
    return DONE;
}

static Result add_joined(LineBreaker *breaker, const Line *line, size_t at, size_t end) {
    Piece piece;
    TRY(join(breaker, line, at, end, &piece));
    return queue_text(&breaker->queue, piece);
}

/* Copy a lexeme into another stream, with its text if it has one of its own. */
static Result keep_lexeme(Stream *kept, const Stream *stream, const Lexeme *lexeme) {
    Lexeme copy = *lexeme;
    if (terminal_spelled_size[copy.terminal])
        copy.size = 0;
    if (copy.size) {
        if (kept->made.size > LARGEST_TEXT)
            return CANNOT;
        copy.at = (uint32_t)kept->made.size;
        copy.is_made = 1;
        TRY(buffer_add(&kept->made, lexeme_text(stream, lexeme), copy.size));
    }
    return stream_add(kept, copy);
}

/* Keep lexemes until those after them have arrived. */
static Result wait_from(LineBreaker *breaker, const Line *line, size_t at) {
    size_t old = at < line->waited ? at : line->waited;
    stream_drop(&breaker->waiting, old);
    for (at -= old; at < line->count - line->waited; at++)
        TRY(keep_lexeme(&breaker->waiting, line->stream, &line->items[at]));
    return DONE;
}

static Bracket *last_bracket(LineBreaker *breaker) {
    return breaker->bracket_count ? &breaker->brackets[breaker->bracket_count - 1] : NULL;
}

static int broken(const LineBreaker *breaker, uint32_t group) { return breaker->queue.groups[group].broken; }

void breaker_begin(LineBreaker *breaker, int depth) {
    queue_begin(&breaker->queue, depth);
    breaker->bracket_count = 0;
    breaker->of_header.count = 0;
    breaker->quotes = breaker->deep = breaker->is_async = 0;
    breaker->import_group = NO_GROUP;
    stream_drop(&breaker->waiting, breaker->waiting.count);
    breaker->seen = 0;
}

void breaker_free(LineBreaker *breaker) {
    queue_free(&breaker->queue);
    free(breaker->of_header.items);
    stream_free(&breaker->waiting);
    buffer_free(&breaker->joined);
}

static Result end_line(LineBreaker *breaker) {
    for (size_t i = 0; i < breaker->of_header.count; i++)
        TRY(groups_add(&breaker->queue.ended, breaker->of_header.items[i]));
    breaker->of_header.count = 0;
    return queue_end_line(&breaker->queue);
}

/* ------------------------------------------------------------------------------------------------ operators, elements */

/* End the chains of operators that bind tighter; `start`, unless it is NULL, becomes where the first of them begins. */
static Result end_chains(LineBreaker *breaker, int rank, int64_t *start) {
    Bracket *bracket = last_bracket(breaker);
    if (bracket == NULL)
        return CANNOT;
    int64_t found = bracket->operand;
    while (bracket->chain_count && bracket->chains[bracket->chain_count - 1].rank > rank) {
        uint32_t group = bracket->chains[--bracket->chain_count].group;
        found = breaker->queue.groups[group].start;
        TRY(groups_add(&breaker->queue.ended, group));
    }
    if (start != NULL)
        *start = found;
    return DONE;
}

/* An operator, which begins with a blank (native/generate.py looks). */
static Result operate(LineBreaker *breaker, int rank, int terminal, Piece piece) {
    BreakQueue *queue = &breaker->queue;
    Bracket *bracket = last_bracket(breaker);
    if (breaker->is_async) {
        breaker->is_async = 0;
        return queue_text(queue, piece);
    }
    if (rank == K_LOOSEST) {
        bracket->takes_comma = 0;
        breaker->is_async = terminal == T_COMPREHENSION_ASYNC;
    }
    int64_t start;
    TRY(end_chains(breaker, rank, &start));
    if (!bracket->chain_count || bracket->chains[bracket->chain_count - 1].rank != rank) {
        uint32_t group;
        TRY(group_new(queue, start, UNDECIDED, &group));
        bracket->chains[bracket->chain_count++] = (RankChain){rank, group};
    }
    uint32_t group = bracket->chains[bracket->chain_count - 1].group;
    TRY(queue_break(queue, (Item){.group = group, .comma = NO_GROUP, .level = (uint8_t)bracket->level, .is_blank = 1}));
    bracket->operand = queue->total;
    return queue_text(queue, (Piece){piece.text + 1, piece.size - 1});
}

/* Where a bracket closes, or the separator of an element is, if what stands before that is short, without comments and with few
   brackets in brackets, has no line feed, and fits `room` columns; 0 if not. `depth` is 1 in a bracket and 0 in an element. */
static size_t short_end(const Line *line, size_t at, int depth, int64_t room) {
    int counts[4] = {0}, bottom = depth, quoted = 0;
    for (; at < line->count; at++) {
        int kind = line_kind(line, at);
        if (kind == K_INNER_COMMENT)
            return 0;
        if (quoted) { /* the lexemes of an f-string, after the first */
            if (kind == K_QUOTES || (kind != K_UNQUOTES && quoted++ > MOST_ITEMS))
                return 0;
            if (kind == K_UNQUOTES)
                quoted = 0;
        } else if (kind == K_CLOSES) {
            if (depth == bottom)
                return bottom ? at : 0;
            depth--;
        } else if (kind == K_SEPARATES && depth == 0)
            return counts[0] && room > 0 ? at : 0;
        else {
            if (kind == K_UNQUOTES || counts[depth]++ == MOST_ITEMS)
                return 0;
            quoted = kind == K_QUOTES;
            if (kind == K_OPENS) {
                if (depth == bottom + 2)
                    return 0;
                counts[++depth] = 0;
            }
        }
        Piece piece = line_piece(line, at);
        room -= (int64_t)characters(piece.text, piece.size);
        if (room < 0 || has_line_feed(piece))
            return 0;
    }
    return 0;
}

/* Add the elements that each fit on a line of their own; `at` becomes what comes after them. */
static Result add_elements(LineBreaker *breaker, const Line *line, size_t *at) {
    BreakQueue *queue = &breaker->queue;
    int level = queue->newline;
    if (level < 0 || queue_holds(queue))
        return DONE;
    for (size_t end; (end = short_end(line, *at, 0, queue_room(queue, level))) != 0; *at = end + 1) {
        Piece piece;
        TRY(join(breaker, line, *at, end + 1, &piece));
        while (piece.size && piece.text[piece.size - 1] == ' ')
            piece.size--;
        TRY(queue_element(queue, piece, level));
    }
    last_bracket(breaker)->operand = queue->total;
    return DONE;
}

/* Add the strings of a chain that is broken, which all have a line of their own, but for the last; `at` becomes where that is. */
static Result add_strings(LineBreaker *breaker, const Line *line, size_t *at) {
    BreakQueue *queue = &breaker->queue;
    Bracket *bracket = last_bracket(breaker);
    int level = queue->newline;
    if (level < 0 || queue_holds(queue))
        return DONE;
    if (!bracket->chain_count)
        return CANNOT;
    if (broken(breaker, bracket->chains[bracket->chain_count - 1].group) != 1)
        return DONE;
    while (*at + 1 < line->count && line_kind(line, *at) == K_LITERAL && line_kind(line, *at + 1) == K_CONCATENATES) {
        Piece piece = line_piece(line, *at);
        if (has_line_feed(piece))
            break;
        TRY(queue_element(queue, piece, level));
        *at += 2;
    }
    bracket->operand = queue->total;
    return DONE;
}

static Result separate(LineBreaker *breaker) {
    BreakQueue *queue = &breaker->queue;
    Bracket *bracket = last_bracket(breaker);
    TRY(end_chains(breaker, 0, NULL));
    TRY(queue_text(queue, (Piece){",", 1}));
    if (bracket->separators == NO_GROUP)
        TRY(group_new(queue, bracket->start, bracket->is_torn ? 1 : UNDECIDED, &bracket->separators));
    TRY(queue_break(queue, (Item){.group = bracket->separators, .comma = NO_GROUP, .level = (uint8_t)bracket->level, .is_blank = 1, .separates = 1}));
    bracket->operand = queue->total;
    return DONE;
}

/* -------------------------------------------------------------------------------------------------------- brackets */

/* How much deeper the content of a bracket indents: by one more than what the bracket stands in, unless that is flat. */
static int level_of(const LineBreaker *breaker, int at) {
    if (at == 0)
        return 1;
    const Bracket *around = &breaker->brackets[at - 1];
    return around->level + (broken(breaker, around->group) != 0);
}

static Result push_bracket(LineBreaker *breaker, uint32_t group, int level, int is_import) {
    if (breaker->bracket_count > DEEPEST_BRACKET)
        return CANNOT;
    int64_t start = breaker->queue.groups[group].start;
    breaker->brackets[breaker->bracket_count++] = (Bracket){
        .start = start, .operand = start, .group = group, .separators = NO_GROUP, .level = level, .takes_comma = 1, .is_torn = is_import, .is_import = is_import};
    return DONE;
}

/* A bracket that may break; `at` becomes what comes after as much of it as has been written. */
static Result open_bracket(LineBreaker *breaker, const Line *line, size_t *at) {
    BreakQueue *queue = &breaker->queue;
    TRY(queue_text(queue, line_piece(line, *at)));
    ++*at;
    if (breaker->bracket_count == DEEPEST_BRACKET) {
        breaker->deep = 1;
        return DONE;
    }
    int level = level_of(breaker, breaker->bracket_count);
    uint32_t group;
    TRY(group_new(queue, queue->total, UNDECIDED, &group));
    TRY(queue_break(queue, (Item){.group = group, .comma = NO_GROUP, .level = (uint8_t)level}));
    size_t end = short_end(line, *at, 1, queue_room(queue, level));
    if (!end)
        return push_bracket(breaker, group, level, 0);
    TRY(add_joined(breaker, line, *at, end));
    TRY(queue_break(queue, (Item){.group = group, .comma = NO_GROUP, .level = (uint8_t)(level - 1)}));
    TRY(groups_add(&queue->ended, group));
    *at = end + 1;
    return queue_text(queue, line_piece(line, end));
}

static Result open_import(LineBreaker *breaker) {
    BreakQueue *queue = &breaker->queue;
    if (breaker->import_group != NO_GROUP)
        return CANNOT; /* no program has two of them in a row */
    TRY(group_new(queue, queue->total, UNDECIDED, &breaker->import_group));
    queue->groups[breaker->import_group].users++; /* it is looked at when its bracket is gone */
    TRY(push_bracket(breaker, breaker->import_group, 1, 1));
    return queue_break(queue, (Item){.group = breaker->import_group, .comma = NO_GROUP, .level = 1, .opens = 1});
}

static Result close_bracket(LineBreaker *breaker, Piece piece) {
    BreakQueue *queue = &breaker->queue;
    TRY(end_chains(breaker, 0, NULL));
    Bracket *bracket = last_bracket(breaker);
    breaker->bracket_count--;
    if (broken(breaker, bracket->group) != 0) {
        uint32_t comma = bracket->is_import ? bracket->group : bracket->takes_comma ? bracket->separators : NO_GROUP;
        if (comma != NO_GROUP)
            for (size_t i = 0; i < queue->ended.count; i++) /* what stands last is to fit with the comma */
                queue->groups[queue->ended.items[i]].comma = 1;
        if (bracket->separators != NO_GROUP)
            queue->groups[bracket->separators].limit = queue->total;
        TRY(queue_break(queue, (Item){.group = bracket->group, .comma = comma, .level = (uint8_t)(bracket->level - 1)}));
        TRY(groups_add(&queue->ended, bracket->group));
    } else
        group_leave(queue, bracket->group);
    group_leave(queue, bracket->separators);
    return queue_text(queue, piece);
}

/* ------------------------------------------------------------------------------------------- literals and comments */

static void mark_separators(LineBreaker *breaker, int is_open) {
    for (int i = 0; i < breaker->bracket_count; i++)
        if (breaker->brackets[i].separators != NO_GROUP)
            breaker->queue.groups[breaker->brackets[i].separators].is_open = (uint8_t)is_open;
}

/* How many items are held up to the last break of separators of an open bracket. */
static size_t held_to_separator(LineBreaker *breaker) {
    const BreakQueue *queue = &breaker->queue;
    mark_separators(breaker, 1);
    size_t at = queue->count;
    while (at > queue->first && !(queue->items[at - 1].separates && queue->groups[queue->items[at - 1].group].is_open))
        at--;
    mark_separators(breaker, 0);
    return at - queue->first;
}

/* A piece that may span lines. */
static Result add_literal(LineBreaker *breaker, Piece piece) {
    BreakQueue *queue = &breaker->queue;
    const char *newline = piece.size ? memchr(piece.text, '\n', piece.size) : NULL;
    if (newline == NULL)
        return queue_text(queue, piece);
    size_t first = (size_t)(newline - piece.text);
    TRY(queue_text(queue, (Piece){piece.text, first}));
    TRY(end_line(breaker));
    int is_bounded = queue->width != NOWHERE;
    /* Its first line fits. Brackets that hold nothing before it stay with it; others are broken. */
    for (size_t until = is_bounded ? held_to_separator(breaker) : 0; queue_holds(queue);) {
        if (until) {
            Item *item = &queue->items[queue->first]; /* a break that is not decided, or it would not be held */
            size_t held = queue->count - queue->first;
            queue->groups[item->group].broken = 1;
            TRY(queue_decide(queue));
            held -= queue->count - queue->first;
            until = until > held ? until - held : 0;
        } else {
            queue_flatten(queue);
            TRY(queue_decide(queue));
        }
    }
    for (int i = 0; i < breaker->bracket_count; i++) {
        breaker->brackets[i].level = level_of(breaker, i);
        breaker->brackets[i].is_torn |= is_bounded;
    }
    return queue_go_on(queue, (Piece){newline, piece.size - first});
}

static void break_group(LineBreaker *breaker, uint32_t group) {
    if (group != NO_GROUP && broken(breaker, group) == UNDECIDED)
        breaker->queue.groups[group].broken = 1;
}

/* Comments inside brackets, and whether a bracket ends after them. */
static Result add_comments(LineBreaker *breaker, const Line *line, size_t at, size_t end, int closes) {
    BreakQueue *queue = &breaker->queue;
    Bracket *last = last_bracket(breaker);
    for (int i = 0; i < breaker->bracket_count; i++) {
        Bracket *bracket = &breaker->brackets[i];
        break_group(breaker, bracket->group);
        /* After the bracket itself a comment says nothing about what is in it: that may stand on one line. */
        if (bracket == last && bracket->start == queue->total)
            continue;
        bracket->is_torn = 1;
        for (int j = 0; j < bracket->chain_count; j++)
            break_group(breaker, bracket->chains[j].group);
        break_group(breaker, bracket->separators);
    }
    if (closes && last != NULL && last->takes_comma && last->separators != NO_GROUP && !breaker->quotes && !breaker->deep) {
        if (broken(breaker, last->separators) == 1)
            TRY(queue_text(queue, (Piece){",", 1}));
        last->takes_comma = 0;
    }
    TRY(end_line(breaker));
    for (; at < end; at++) {
        Piece piece = line_piece(line, at);
        piece = (Piece){piece.text + COMMENT_SIZE, piece.size - COMMENT_SIZE};
        while (piece.size && piece.text[piece.size - 1] == '\n')
            piece.size--;
        int is_own_line = piece.size && piece.text[0] == '\n';
        piece = (Piece){piece.text + is_own_line, piece.size - (size_t)is_own_line};
        TRY(queue_comment(queue, piece, last != NULL ? last->level : 1, is_own_line));
    }
    return DONE;
}

/* --------------------------------------------------------------------------------------------------------- lexemes */

/* How many lexemes are a bracket too small to break. */
static size_t atom(const Line *line, size_t at) {
    if (at + 1 < line->count && line_kind(line, at + 1) == K_CLOSES)
        return 2;
    if (at + 2 >= line->count || line_kind(line, at + 2) != K_CLOSES)
        return 0;
    int kind = line_kind(line, at + 1);
    if (kind == K_OPENS || kind == K_INNER_COMMENT)
        return 0;
    Piece piece = line_piece(line, at + 1);
    return characters(piece.text, piece.size) <= SMALL ? 3 : 0;
}

static Result write_line(LineBreaker *breaker, const Line *line, int final, size_t *written) {
    BreakQueue *queue = &breaker->queue;
    size_t at = 0, count = line->count;
    while (at < count) {
        int kind = line_kind(line, at);
        *written = at;
        if (kind == K_TEXT) {
            size_t end = at + 1;
            while (end < count && line_kind(line, end) == K_TEXT)
                end++;
            TRY(add_joined(breaker, line, at, end));
            at = end;
        } else if (kind == K_INNER_COMMENT) {
            size_t end = at + breaker->seen;
            while (end < count && line_kind(line, end) == K_INNER_COMMENT)
                end++;
            if (end == count && !final) {
                breaker->seen = count - at;
                return DONE;
            }
            breaker->seen = 0;
            TRY(add_comments(breaker, line, at, end, end < count && line_kind(line, end) == K_CLOSES));
            at = end;
        } else if (breaker->quotes || breaker->deep || kind == K_LITERAL || kind == K_QUOTES) {
            breaker->quotes += (kind == K_QUOTES) - (kind == K_UNQUOTES);
            if (!breaker->quotes)
                breaker->deep += (kind == K_OPENS) - (kind == K_CLOSES);
            TRY(add_literal(breaker, line_piece(line, at++)));
        } else if (kind == K_OPENS) {
            if (at + 2 >= count && !final && (at + 1 == count || line_kind(line, at + 1) != K_CLOSES))
                return DONE;
            size_t size = atom(line, at);
            if (size) {
                TRY(add_joined(breaker, line, at, at + size));
                at += size;
            } else
                TRY(open_bracket(breaker, line, &at));
        } else if (kind == K_CLOSES) {
            TRY(close_bracket(breaker, line_piece(line, at++)));
        } else if (kind == K_NAMES || kind == K_FUTURE) {
            if (at + 1 == count && !final)
                return DONE;
            TRY(queue_text(queue, line_piece(line, at++)));
            if (at < count && line_kind(line, at) == K_TEXT) {
                Piece piece = line_piece(line, at);
                if (piece.size != 1 || piece.text[0] != '*')
                    TRY(open_import(breaker));
            }
        } else if (!breaker->bracket_count || broken(breaker, last_bracket(breaker)->group) == 0) {
            if (kind == K_ARROW) {
                for (size_t i = 0; i < breaker->of_header.count; i++)
                    group_leave(queue, breaker->of_header.items[i]);
                Groups none = breaker->of_header;
                none.count = 0;
                breaker->of_header = queue->ended;
                queue->ended = none;
            }
            TRY(queue_text(queue, line_piece(line, at++)));
        } else if (kind == K_SEPARATES) {
            TRY(separate(breaker));
            at++;
            TRY(add_elements(breaker, line, &at));
        } else if (kind <= K_TIGHTEST) {
            TRY(operate(breaker, kind, line_lexeme(line, at)->terminal, line_piece(line, at)));
            at++;
            if (kind == K_CONCATENATES)
                TRY(add_strings(breaker, line, &at));
        } else {
            TRY(queue_text(queue, line_piece(line, at++)));
            if (kind == K_BEGINS) {
                TRY(end_chains(breaker, 0, NULL));
                last_bracket(breaker)->operand = queue->total;
            }
        }
    }
    *written = at;
    return DONE;
}

Result breaker_write(LineBreaker *breaker, const Stream *stream, size_t first, size_t end, int final) {
    Line line = {&breaker->waiting, stream, stream == NULL ? NULL : stream->items + first, breaker->waiting.count, 0};
    line.count = line.waited + (end - first);
    size_t written = 0;
    TRY(write_line(breaker, &line, final, &written));
    return wait_from(breaker, &line, written);
}

Result breaker_end(LineBreaker *breaker, int colon) {
    BreakQueue *queue = &breaker->queue;
    if (breaker->waiting.count)
        TRY(breaker_write(breaker, NULL, 0, 0, 1));
    int is_import = breaker->import_group != NO_GROUP;
    if (is_import) {
        if (!breaker->bracket_count)
            return CANNOT;
        if (last_bracket(breaker)->is_import)
            TRY(close_bracket(breaker, (Piece){"", 0}));
    }
    if (colon)
        TRY(queue_text(queue, (Piece){":", 1}));
    TRY(end_line(breaker));
    if (is_import && broken(breaker, breaker->import_group) == 1)
        TRY(queue_text(queue, (Piece){")", 1}));
    queue_flatten(queue);
    TRY(queue_decide(queue));
    return queue->newline >= 0 ? buffer_add_byte(queue->out, '\n') : DONE;
}
