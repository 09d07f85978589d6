/* The reader of SimPy: text in, whole or in pieces, lexemes out. What simpy_grammar.simpy_lexer does.

   Text that arrives in pieces is read as far as no later piece can change how it reads, and exactly as far as the Python reader
   reads it: what it makes wait, waits here. */

#include "module.h"
#include "simpy_tokens.h"

#include <stdlib.h>

#define LONG_TOKEN 16384 /* a token longer than this, in characters, is read again when a part of it more has arrived */
#define PART 16
#define FORGOTTEN_AT_ONCE 65536

typedef struct {
    Reader reader;
    const SimPyTokens *tokens;
    size_t position;   /* of what is not read yet */
    size_t buffer_end; /* up to here it has been looked at; what has arrived since waits */
    size_t buffer_characters; /* what has been looked at in vain, if it is longer than LONG_TOKEN bytes */
    size_t arrived;    /* characters that wait */
    size_t fields;     /* how many strings with fields are open */
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

/* Whether no later text can make a token another one. */
static int is_settled(const SimPyTokens *tokens, const char *at, Token token, const char *end) {
    if ((size_t)(end - token.end) > tokens->longest)
        return 1;
    if (simpy_token_begun(tokens, at, end))
        return 0;
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

static Result push(SimPyReader *self, int token, const char *at, const char *end) {
    const Stream *stream = &self->reader.automaton.stream;
    uint32_t start = (uint32_t)((size_t)(at - stream->text.data) + stream->base);
    return automaton_push(&self->reader.automaton, token, (Lexeme){start, (uint32_t)(end - at), start, NO_TERMINAL, 0});
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
    Result result = token.token < 0 ? CANNOT : push(self, token.token, at, token.end);
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
            Result result = push(self, token.token, at, token.end);
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
    return automaton_push(&reader->automaton, reader->automaton.tables->end, (Lexeme){end, 0, end, NO_TERMINAL, 0});
}

static size_t settled(Reader *reader) { return automaton_settled(&reader->automaton); }

static size_t position(const Reader *reader) { return ((const SimPyReader *)reader)->position; }

static void drop(Reader *reader, size_t count) {
    SimPyReader *self = (SimPyReader *)reader;
    Stream *stream = &reader->automaton.stream;
    stream_drop(stream, count);
    /* Lexemes are in the order of the text, so the first one needs the most of it. */
    size_t needed = stream->count && stream->items[0].start < self->position ? stream->items[0].start : self->position;
    size_t forgotten = needed - stream->base;
    if (forgotten >= FORGOTTEN_AT_ONCE && forgotten >= stream->text.size / 2) {
        buffer_drop(&stream->text, forgotten);
        stream->base = needed;
    }
}

static void free_reader(Reader *reader) {
    if (reader != NULL)
        automaton_free(&reader->automaton);
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
    Result result = automaton_start(&self->reader.automaton, tables);
    if (result == DONE)
        *made = &self->reader;
    else
        free_reader(&self->reader);
    return result;
}

/* -------------------------------------------------------------------------------------------------------- bindings */

#define TOKENS "simpy_grammar._native.simpy_tokens"

static void free_tokens(PyObject *capsule) {
    simpy_tokens_free(PyCapsule_GetPointer(capsule, TOKENS));
    Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule));
}

static PyObject *make_tokens(PyObject *module, PyObject *tables_capsule) {
    (void)module;
    const Tables *tables = tables_in(tables_capsule);
    if (tables == NULL)
        return NULL;
    SimPyTokens *tokens;
    Result result = simpy_tokens_make(&tokens, tables);
    if (result != DONE)
        return returned(result, NULL);
    PyObject *capsule = PyCapsule_New(tokens, TOKENS, free_tokens);
    if (capsule == NULL)
        simpy_tokens_free(tokens);
    else if (PyCapsule_SetContext(capsule, tables_capsule) == 0)
        Py_INCREF(tables_capsule); /* the capsule keeps the tables */
    return capsule;
}

/* The reader for a call with tables and tokens; NULL with a Python error. */
static Reader *new_reader(PyObject *tables_capsule, PyObject *tokens_capsule) {
    const Tables *tables = tables_in(tables_capsule);
    const SimPyTokens *tokens = tables == NULL ? NULL : PyCapsule_GetPointer(tokens_capsule, TOKENS);
    Reader *reader = NULL;
    if (tokens != NULL && simpy_reader_new(&reader, tables, tokens) != DONE)
        PyErr_NoMemory();
    return reader;
}

/* The lexemes of a stream: terminals, texts, and with `located` where they start, in characters. */
static PyObject *lexemes_of(const Stream *stream, int located) {
    PyObject *terminals = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)stream->count);
    PyObject *texts = PyList_New((Py_ssize_t)stream->count);
    PyObject *starts = located ? PyList_New((Py_ssize_t)stream->count) : NULL;
    PyObject *made = NULL;
    if (terminals == NULL || texts == NULL || (located && starts == NULL))
        goto failed;
    char *terminal = PyBytes_AsString(terminals);
    size_t at = stream->base, start = 0;
    for (size_t i = 0; i < stream->count; i++) {
        const Lexeme *lexeme = &stream->items[i];
        terminal[i] = (char)lexeme->terminal;
        PyObject *text = PyUnicode_FromStringAndSize(lexeme->size ? lexeme_text(stream, lexeme) : "", (Py_ssize_t)lexeme->size);
        if (text == NULL || PyList_SetItem(texts, (Py_ssize_t)i, text) < 0)
            goto failed;
        if (!located)
            continue;
        start += characters(stream->text.data + (at - stream->base), lexeme->start - at);
        at = lexeme->start;
        PyObject *number = PyLong_FromSize_t(start);
        if (number == NULL || PyList_SetItem(starts, (Py_ssize_t)i, number) < 0)
            goto failed;
    }
    made = located ? PyTuple_Pack(3, terminals, texts, starts) : PyTuple_Pack(2, terminals, texts);
failed:
    Py_XDECREF(terminals);
    Py_XDECREF(texts);
    Py_XDECREF(starts);
    return made;
}

static PyObject *read_simpy(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *tables, *tokens, *text, *made = NULL;
    int located;
    const char *data;
    size_t size;
    if (!PyArg_ParseTuple(arguments, "OOUp", &tables, &tokens, &text, &located))
        return NULL;
    Result result = utf8_of(text, &data, &size);
    if (result != DONE)
        return returned(result, NULL);
    Reader *reader = new_reader(tables, tokens);
    if (reader == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = reader->kind->feed(reader, data, size);
    if (result == DONE)
        result = reader->kind->close(reader);
    Py_END_ALLOW_THREADS
    if (result == DONE)
        made = lexemes_of(&reader->automaton.stream, located);
    reader->kind->free(reader);
    return result == DONE ? made : returned(result, NULL);
}

/* What a list of pieces is read into: after each of them how many lexemes are settled, and the position, as far as they can be read;
   and all lexemes, or None. For tests. */
static PyObject *read_simpy_pieces(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *tables, *tokens, *pieces;
    if (!PyArg_ParseTuple(arguments, "OOO!", &tables, &tokens, &PyList_Type, &pieces))
        return NULL;
    Reader *reader = new_reader(tables, tokens);
    if (reader == NULL)
        return NULL;
    const Stream *stream = &reader->automaton.stream;
    PyObject *steps = PyList_New(0), *made = NULL;
    size_t at = 0, read = 0;
    Result result = DONE;
    for (Py_ssize_t i = 0; steps != NULL && i < PyList_Size(pieces); i++) {
        const char *data;
        size_t size;
        result = utf8_of(PyList_GetItem(pieces, i), &data, &size);
        if (result == DONE)
            result = reader->kind->feed(reader, data, size);
        if (result != DONE)
            break;
        size_t position = reader->kind->position(reader);
        read += characters(stream->text.data + at, position - at);
        at = position;
        PyObject *step = Py_BuildValue("nn", (Py_ssize_t)reader->kind->settled(reader), (Py_ssize_t)read);
        if (step == NULL || PyList_Append(steps, step) < 0)
            Py_CLEAR(steps);
        Py_XDECREF(step);
    }
    if (steps != NULL && result == DONE)
        result = reader->kind->close(reader);
    PyObject *lexemes = steps == NULL ? NULL : result == DONE ? lexemes_of(stream, 0) : returned(result, NULL);
    if (lexemes != NULL)
        made = PyTuple_Pack(2, steps, lexemes);
    Py_XDECREF(lexemes);
    Py_XDECREF(steps);
    reader->kind->free(reader);
    return made;
}

PyMethodDef reading_methods[] = {
    {"simpy_tokens", make_tokens, METH_O, "simpy_tokens(tables): the tokens of a dialect; None if its patterns are not known"},
    {"read_simpy", read_simpy, METH_VARARGS,
     "read_simpy(tables, tokens, text, located): the terminals and texts of a program, and where they start; None if it cannot be read"},
    {"read_simpy_pieces", read_simpy_pieces, METH_VARARGS,
     "read_simpy_pieces(tables, tokens, pieces): how many lexemes are settled after each piece that can be read, and where; and all lexemes or None"},
    {NULL, NULL, 0, NULL},
};
