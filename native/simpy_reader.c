/* The reader of SimPy: text in, whole or in pieces, lexemes out. What simpy_grammar.simpy_lexer does, and Bindings of simpy_grammar.aliases.

   Text that arrives in pieces is read as far as no later piece can change how it reads, and exactly as far as the Python reader
   reads it: what it makes wait, waits here. */

#include "simpy_tokens.h"

#include <stdlib.h>

#define LONG_TOKEN 16384 /* a token longer than this, in characters, is read again when a part of it more has arrived */
#define PART 16
#define PIECE 65536 /* characters of a whole text that are read at once */
#define FORGOTTEN_AT_ONCE 65536

/* The name that an alias stands for, in Stream.made. */
typedef struct {
    uint32_t at, size; /* 0: it is not bound */
} Binding;

typedef struct {
    Reader reader;
    const SimPyTokens *tokens;
    Binding *bindings; /* by the number of the alias */
    size_t expanded;   /* how many bytes of names aliases alone have stood for */
    size_t position;   /* of what is not read yet */
    size_t buffer_end; /* up to here it has been looked at; what has arrived since waits */
    size_t buffer_characters; /* what has been looked at in vain, if it is longer than LONG_TOKEN bytes */
    size_t arrived;    /* characters that wait */
    size_t fields;     /* how many strings with fields are open */
    int *closers;      /* brackets that are implied, the innermost first, and what implies them */
    size_t closers_room;
    char awaited;      /* the quote without which what is open cannot end, or 0 */
    char or_line_feed; /* whether a line feed ends it, too */
    char is_waiting;   /* pieces wait */
} SimPyReader;

/* Where a text is read: from, at, to. */
typedef struct {
    const char *at, *end;
    int is_final;
    Unclosed unclosed;
} Place;

static int may_still_grow(const char *at, const char *end) {
    if (!is_digit(*at) && *at != '.')
        return 0;
    for (at++; at < end && ((is_name_byte(*at) && !((unsigned char)*at & 0x80)) || *at == '.'); at++)
        ;
    if (at < end && (*at == '+' || *at == '-') && (at[-1] | 0x20) == 'e')
        at++;
    return at == end;
}

/* Whether what follows a name is the beginning of an alias, with anything but another one before it. */
static int alias_may_follow(const SimPyTokens *tokens, const char *at, const char *end) {
    const char *angle = at == end ? NULL : memchr(at, '<', (size_t)(end - at));
    if (angle == NULL || (end - angle > 1 && angle[1] != 'n') || end - angle > 6)
        return 0;
    for (size_t i = 2; i < (size_t)(end - angle); i++)
        if (!is_digit(angle[i]))
            return 0;
    return characters(at, (size_t)(end - at)) < tokens->margin;
}

/* Whether no later text can make a token another one. */
static int is_settled(const SimPyTokens *tokens, const char *at, Token token, const char *end) {
    if ((size_t)(end - token.end) > tokens->horizon)
        return 1;
    if (simpy_token_begun(tokens, at, end))
        return 0;
    if (tokens->aliases && token.token == tokens->name) {
        if (token.end[-1] == '>')
            return 1;
        if (alias_may_follow(tokens, token.end, end))
            return 0;
    }
    if (token.token == tokens->number && end - token.end <= 2 && may_still_grow(at, end))
        return 0;
    if (token.end < end)
        return 1;
    if (token.token < 0)
        return 0;
    if (token.token == tokens->comment || token.token == tokens->inner_comment)
        return end[-1] == '\n';
    return tokens->flags[token.token] & SETTLES_AT_END;
}

/* Whether text that is not a token yet may become one: an open string, a piece of a special token or of a name. */
static int is_unfinished(SimPyReader *self, const char *at, const char *end) {
    const char *word = simpy_word_end(at, end);
    if (word > at && word == end)
        return 1;
    if (*at == '\\') { /* the beginning of \N{...} */
        const char *name = at + 1;
        if (name < end && *name == 'N' && ++name < end && *name == '{')
            for (name++; name < end && *name != '{' && *name != '}'; name++)
                ;
        if (name == end)
            return 1;
    }
    const char *quote = at;
    while (quote < end && quote - at < 3 && strchr("rRbBuUfFtT", *quote) != NULL && *quote)
        quote++;
    if (quote < end && quote - at < 3 && (*quote == '\'' || *quote == '"')) {
        if (end - at > 3 && characters(at, (size_t)(end - at > 16 ? 16 : end - at)) > 3) {
            self->awaited = *quote;
            self->or_line_feed = !(end - quote >= 3 && quote[1] == *quote && quote[2] == *quote);
        }
        return 1;
    }
    return simpy_token_begun(self->tokens, at, end) || (end - at >= 7 && memcmp(at, "<debug>", 7) == 0);
}

/* What the alias of a name refers to or is going to be bound to, and where it begins; NULL if it is unknown, not bound, or bound
   already, or if the names that aliases stand for are too long in all. */
static Binding *binding_of(const SimPyReader *self, const char *at, const char *end, const char **alias) {
    const Stream *stream = &self->reader.automaton.stream;
    int number = 0;
    for (*alias = end - 1; **alias != '<'; --*alias)
        ;
    simpy_alias_end(*alias, end, &number);
    if (number >= self->tokens->aliases)
        return NULL;
    Binding *binding = &self->bindings[number];
    if ((*alias == at) != (binding->size > 0) || stream->base + stream->text.size + self->expanded + binding->size > LARGEST_PROGRAM)
        return NULL;
    return binding;
}

static int has_alias(const SimPyTokens *tokens, int token, const char *end) { return tokens->aliases && token == tokens->name && end[-1] == '>'; }

/* Whether a token has no alias, or one that can be read. */
static int is_bound_well(const SimPyReader *self, Token token, const char *at) {
    const char *alias;
    return !has_alias(self->tokens, token.token, token.end) || binding_of(self, at, token.end, &alias) != NULL;
}

/* Read a name with an alias, which binds it, or an alias alone. */
static Result push_aliased(SimPyReader *self, const char *at, const char *end) {
    Automaton *automaton = &self->reader.automaton;
    Buffer *names = &automaton->stream.made;
    const char *alias;
    Binding *binding = binding_of(self, at, end, &alias);
    if (binding == NULL)
        return CANNOT;
    uint32_t start = (uint32_t)((size_t)(at - automaton->stream.text.data) + automaton->stream.base);
    if (alias == at) {
        TRY(automaton_push(automaton, self->tokens->name, (Lexeme){binding->at, binding->size, start, NO_TERMINAL, 1}));
        self->expanded += binding->size;
        return DONE;
    }
    uint32_t size = (uint32_t)(alias - at);
    TRY(automaton_push(automaton, self->tokens->name, (Lexeme){start, size, start, NO_TERMINAL, 0}));
    *binding = (Binding){(uint32_t)names->size, size};
    return buffer_add(names, at, size);
}

static Result push(SimPyReader *self, int token, const char *at, const char *end) {
    const Stream *stream = &self->reader.automaton.stream;
    uint32_t start = (uint32_t)((size_t)(at - stream->text.data) + stream->base);
    if (has_alias(self->tokens, token, end))
        return push_aliased(self, at, end);
    return automaton_push(&self->reader.automaton, token, (Lexeme){start, (uint32_t)(end - at), start, NO_TERMINAL, 0});
}

/* Find the closing brackets that a token implies: those of all that is open in the current statement, unless the token closes one
   itself, or stands in a field of a string. */
static Result find_closers(SimPyReader *self, int token, size_t *count) {
    const Automaton *automaton = &self->reader.automaton;
    const uint8_t *raw = automaton->tables->raw;
    size_t found = 0;
    int top = raw[automaton_state(automaton)];
    int is_closed = top < TERMINALS && terminal_role[top] == ROLE_CLOSE; /* only the next token reduces it */
    *count = 0;
    for (size_t i = automaton->depth; i-- > 0;) {
        int terminal = raw[automaton->stack[i]];
        if (terminal >= TERMINALS)
            continue;
        int role = terminal_role[terminal];
        int is_bracket = role == ROLE_OPEN || terminal == T_FIELD_START;
        if (is_bracket && !is_closed) {
            int kind = terminal == T_OPEN_PARENTHESIS ? 0 : terminal == T_OPEN_BRACKET ? 1 : terminal == T_OPEN_BRACE ? 2 : 3;
            int closer = self->tokens->closers[kind];
            if (terminal == T_FIELD_START || closer == token)
                return DONE;
            void *closers = self->closers;
            TRY(array_reserve(&closers, &self->closers_room, found + 2, sizeof(int)));
            self->closers = closers;
            if (closer >= 0)
                self->closers[found++] = closer;
        }
        is_closed = is_closed && !is_bracket;
        if (terminal == T_LINE_SEP || terminal == T_BLOCK_START || terminal == T_BLOCK_END || role == ROLE_HEADER || role == ROLE_DEFINITION)
            break;
    }
    if (found)
        self->closers[found] = token;
    *count = found;
    return DONE;
}

/* Read the closing brackets that have been found, before what starts at `start`. */
static Result push_closers(SimPyReader *self, size_t count, size_t start) {
    for (size_t i = 0; i < count; i++)
        TRY(automaton_push(&self->reader.automaton, self->closers[i], (Lexeme){(uint32_t)start, 0, (uint32_t)start, NO_TERMINAL, 0}));
    return DONE;
}

/* Close the brackets that a token implies where it is refused. CANNOT: it cannot stand there even so. */
static Result close_brackets(SimPyReader *self, int token, const char *at) {
    const Stream *stream = &self->reader.automaton.stream;
    size_t count;
    if (!(self->tokens->flags[token] & ENDS_BRACKETS))
        return CANNOT;
    TRY(find_closers(self, token, &count));
    if (!count)
        return CANNOT;
    TRY(automaton_accepts(&self->reader.automaton, self->closers, (int)count + 1));
    return push_closers(self, count, (size_t)(at - stream->text.data) + stream->base);
}

/* Read a token that reads alike in every state, and the closing brackets that it implies. CANNOT: it cannot stand here. */
static Result push_closing(SimPyReader *self, int token, const char *at, const char *end) {
    Result result = push(self, token, at, end);
    if (result != CANNOT)
        return result;
    TRY(close_brackets(self, token, at));
    return push(self, token, at, end);
}

/* Read one token by the state that the automaton is in; `place` stays where it is if that is not settled. */
static Result read_one(SimPyReader *self, Place *place, Token token) {
    const SimPyTokens *tokens = self->tokens;
    Automaton *automaton = &self->reader.automaton;
    const char *at = place->at, *end = place->end;
    if (!place->is_final && !is_settled(tokens, at, token, end))
        return DONE;
    if (token.token == tokens->inner_comment && automaton_innermost(automaton) == NO_TERMINAL)
        return CANNOT; /* only in brackets may a comment stand inside a statement */
    if (token.token >= 0 && tokens->flags[token.token] & ENDS_HEADER && automaton_innermost(automaton) == T_FIELD_START)
        token = (Token){tokens->colon, at + 1};
    if (!is_bound_well(self, token, at) && automaton_accepts(automaton, &token.token, 1) == DONE)
        return CANNOT;
    Result result = token.token < 0 ? CANNOT : push_closing(self, token.token, at, token.end);
    if (result == CANNOT) {
        if (token.end == end && !place->is_final)
            return DONE;
        /* The state reads this text in a way of its own, or not at all. */
        token = simpy_token_in(tokens, automaton->tables, automaton_state(automaton), at, end);
        if (token.token < 0)
            return !place->is_final && is_unfinished(self, at, end) ? DONE : CANNOT;
        if (token.end == end && !place->is_final)
            return DONE;
        result = push(self, token.token, at, token.end);
    }
    TRY(result);
    if (tokens->flags[token.token] & ENDS_STRING)
        self->fields--;
    else if (tokens->flags[token.token] & OPENS_STRING)
        self->fields++;
    place->at = token.end;
    return DONE;
}

/* Read tokens, as far as they are settled. */
static Result read_tokens(SimPyReader *self, Place *place) {
    const SimPyTokens *tokens = self->tokens;
    while (place->at < place->end) {
        const char *at = place->at;
        Token token = simpy_token(tokens, at, place->end, &place->unclosed);
        if (!self->fields && token.token >= 0 && !(tokens->flags[token.token] & OPENS_STRING) && token.token != tokens->inner_comment &&
            (place->is_final || is_settled(tokens, at, token, place->end))) {
            if (!is_bound_well(self, token, at))
                return CANNOT;
            Result result = push_closing(self, token.token, at, token.end);
            if (result == DONE) {
                place->at = token.end;
                continue;
            }
            if (result != CANNOT)
                return result;
        }
        TRY(read_one(self, place, token));
        if (place->at == at)
            break;
    }
    return DONE;
}

static Result read_on(SimPyReader *self, int is_final) {
    Stream *stream = &self->reader.automaton.stream;
    Place place = {.is_final = is_final};
    if (self->is_waiting) {
        self->is_waiting = self->awaited = 0;
        self->arrived = 0;
    }
    self->buffer_end = stream->base + stream->text.size;
    if (self->position == self->buffer_end)
        return DONE;
    place.at = stream->text.data + (self->position - stream->base);
    place.end = stream->text.data + stream->text.size;
    Result result = read_tokens(self, &place);
    self->position = (size_t)(place.at - stream->text.data) + stream->base;
    size_t left = self->buffer_end - self->position;
    self->buffer_characters = left > LONG_TOKEN ? characters(place.at, left) : left;
    return result;
}

static int arrives(char byte, const char *text, size_t size) { return size && memchr(text, byte, size) != NULL; }

static Result feed(Reader *reader, const char *text, size_t size) {
    SimPyReader *self = (SimPyReader *)reader;
    Stream *stream = &reader->automaton.stream;
    if (size > LARGEST_TEXT - (stream->base + stream->text.size))
        return CANNOT;
    TRY(buffer_add(&stream->text, text, size));
    if (self->awaited && (arrives(self->awaited, text, size) || (self->or_line_feed && arrives('\n', text, size))))
        self->awaited = 0;
    if (self->awaited || self->buffer_characters > LONG_TOKEN) {
        self->arrived += characters(text, size);
        if (self->awaited || PART * self->arrived < self->buffer_characters) {
            self->is_waiting = 1;
            return DONE;
        }
    }
    return read_on(self, 0);
}

static Result close_reader(Reader *reader) {
    SimPyReader *self = (SimPyReader *)reader;
    TRY(read_on(self, 1));
    uint32_t end = (uint32_t)self->position;
    int last = reader->automaton.tables->end;
    if (self->tokens->is_open && automaton_accepts(&reader->automaton, &last, 1) == CANNOT) {
        size_t count;
        TRY(find_closers(self, last, &count));
        TRY(automaton_accepts(&reader->automaton, self->closers, (int)count));
        TRY(push_closers(self, count, self->position));
    }
    return automaton_push(&reader->automaton, last, (Lexeme){end, 0, end, NO_TERMINAL, 0});
}

static size_t settled(Reader *reader) { return automaton_settled(&reader->automaton); }

static size_t position(const Reader *reader) { return ((const SimPyReader *)reader)->position; }

static void drop(Reader *reader, size_t count) {
    SimPyReader *self = (SimPyReader *)reader;
    Stream *stream = &reader->automaton.stream;
    size_t names = stream->made.size;
    stream_drop(stream, count);
    stream->made.size = names; /* what is bound stays */
    /* Lexemes are in the order of the text, so the first one needs the most of it. */
    size_t needed = stream->count && stream->items[0].start < self->position ? stream->items[0].start : self->position;
    size_t forgotten = needed - stream->base;
    if (forgotten >= FORGOTTEN_AT_ONCE && forgotten >= stream->text.size / 2) {
        buffer_drop(&stream->text, forgotten);
        stream->base = needed;
    }
}

static void free_reader(Reader *reader) {
    if (reader != NULL) {
        automaton_free(&reader->automaton);
        free(((SimPyReader *)reader)->closers);
        free(((SimPyReader *)reader)->bindings);
    }
    free(reader);
}

static const ReaderKind simpy_reader = {feed, close_reader, settled, position, drop, free_reader};

Result simpy_reader_new(Reader **made, const Tables *tables, const SimPyTokens *tokens) {
    SimPyReader *self = calloc(1, sizeof(SimPyReader));
    *made = NULL;
    if (self == NULL)
        return NO_MEMORY;
    self->reader.kind = &simpy_reader;
    self->tokens = tokens;
    if (tokens->aliases)
        self->bindings = calloc((size_t)tokens->aliases, sizeof(Binding));
    Result result = tokens->aliases && self->bindings == NULL ? NO_MEMORY : automaton_start(&self->reader.automaton, tables);
    if (result == DONE)
        *made = &self->reader;
    else
        free_reader(&self->reader);
    return result;
}

Result simpy_read_all(Reader *reader, const char *text, size_t size) {
    for (const char *end = text + size; text < end;) {
        const char *piece = text;
        for (size_t count = 0; text < end && (((unsigned char)*text & 0xC0) == 0x80 || count++ < PIECE); text++)
            ;
        TRY(feed(reader, piece, (size_t)(text - piece)));
    }
    return close_reader(reader);
}
