/* The reader of Python, as Python calls it. */

#include "module.h"
#include "reader.h"

#define TOKENS "simpy_grammar._native.python_tokens"

static void free_tokens(PyObject *capsule) { python_tokens_free(PyCapsule_GetPointer(capsule, TOKENS)); }

static PyObject *make_tokens(PyObject *module, PyObject *argument) {
    (void)module;
    const Tables *tables = tables_in(argument);
    PythonTokens *tokens;
    if (tables == NULL)
        return NULL;
    Result result = python_tokens_make(&tokens, tables);
    if (result != DONE)
        return returned(result, NULL);
    PyObject *capsule = PyCapsule_New(tokens, TOKENS, free_tokens);
    if (capsule == NULL)
        python_tokens_free(tokens);
    return capsule;
}

/* Whether the odd names are names; -1 with a Python error. */
static int are_names(Reader *reader) {
    const Lexeme *names;
    size_t count = python_reader_odd_names(reader, &names);
    for (size_t i = 0; i < count; i++) {
        PyObject *name = PyUnicode_DecodeUTF8(lexeme_text(&reader->automaton.stream, &names[i]), names[i].size, NULL);
        if (name == NULL)
            return -1;
        int is_name = PyUnicode_IsIdentifier(name);
        Py_DECREF(name);
        if (is_name != 1)
            return is_name;
    }
    return 1;
}

/* Add the first lexemes of a stream to lists; 0 with a Python error. */
static int add_lexemes(const Stream *stream, size_t count, Buffer *terminals, PyObject *texts) {
    for (size_t i = 0; i < count; i++) {
        const Lexeme *lexeme = &stream->items[i];
        PyObject *text = PyUnicode_DecodeUTF8(lexeme->size ? lexeme_text(stream, lexeme) : "", lexeme->size, NULL);
        if (text == NULL)
            return 0;
        int failed = PyList_Append(texts, text);
        Py_DECREF(text);
        if (failed)
            return 0;
        if (buffer_add_byte(terminals, (char)lexeme->terminal) != DONE) {
            PyErr_NoMemory();
            return 0;
        }
    }
    return 1;
}

typedef struct {
    const char *text;
    size_t byte, character;
} Place;

/* How many characters stand before a byte; the place moves there. */
static size_t move_to(Place *place, size_t byte) {
    for (; place->byte < byte; place->byte++)
        place->character += ((unsigned char)place->text[place->byte] & 0xC0) != 0x80;
    while (place->byte > byte)
        place->character -= ((unsigned char)place->text[--place->byte] & 0xC0) != 0x80;
    return place->character;
}

static PyObject *starts_of(const Stream *stream, const char *text) {
    Place place = {text, 0, 0};
    PyObject *starts = PyList_New((Py_ssize_t)stream->count);
    for (size_t i = 0; starts != NULL && i < stream->count; i++) {
        PyObject *start = PyLong_FromSize_t(move_to(&place, stream->items[i].start));
        if (start == NULL || PyList_SetItem(starts, (Py_ssize_t)i, start) < 0)
            Py_CLEAR(starts);
    }
    return starts;
}

static int new_reader(PyObject *tables, PyObject *tokens, Reader **reader, Result *result) {
    const Tables *made = tables_in(tables);
    const PythonTokens *named = made ? PyCapsule_GetPointer(tokens, TOKENS) : NULL;
    if (named == NULL)
        return 0;
    *result = python_reader_new(reader, made, named);
    return 1;
}

static PyObject *read_python(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *tables, *tokens, *source, *texts = NULL, *starts = NULL, *made = NULL;
    int located;
    const char *text;
    size_t size;
    Reader *reader = NULL;
    Result result;
    Buffer terminals = {0};
    if (!PyArg_ParseTuple(arguments, "OOUp", &tables, &tokens, &source, &located) || !new_reader(tables, tokens, &reader, &result))
        return NULL;
    if (result == DONE)
        result = utf8_of(source, &text, &size);
    if (result == DONE) {
        Py_BEGIN_ALLOW_THREADS
        result = reader->kind->feed(reader, text, size);
        if (result == DONE)
            result = reader->kind->close(reader);
        Py_END_ALLOW_THREADS
    }
    int names = result == DONE ? are_names(reader) : 1;
    if (names == 0)
        result = CANNOT;
    if (result != DONE)
        made = returned(result, NULL);
    else if (names > 0 && (texts = PyList_New(0)) != NULL) {
        const Stream *stream = &reader->automaton.stream;
        if (add_lexemes(stream, stream->count, &terminals, texts) && (!located || (starts = starts_of(stream, text)) != NULL))
            made = located ? Py_BuildValue("(y#OO)", terminals.size ? terminals.data : "", (Py_ssize_t)terminals.size, texts, starts)
                           : Py_BuildValue("(y#O)", terminals.size ? terminals.data : "", (Py_ssize_t)terminals.size, texts);
    }
    Py_XDECREF(texts);
    Py_XDECREF(starts);
    buffer_free(&terminals);
    if (reader != NULL)
        reader->kind->free(reader);
    return made;
}

typedef struct {
    Reader *reader;
    Buffer text, terminals;
    Place place;
    PyObject *steps, *texts;
    int drops;
} Pieces;

/* Feed a piece, or close the reader for NULL; note what that settles. */
static Result read_piece(Pieces *pieces, PyObject *piece) {
    Reader *reader = pieces->reader;
    const char *text = "";
    size_t size = 0;
    if (piece != NULL) {
        TRY(utf8_of(piece, &text, &size));
        TRY(buffer_add(&pieces->text, text, size));
        TRY(reader->kind->feed(reader, text, size));
    } else
        TRY(reader->kind->close(reader));
    int names = are_names(reader);
    if (names < 1)
        return names < 0 ? DONE : CANNOT;
    const Stream *stream = &reader->automaton.stream;
    size_t settled = piece ? reader->kind->settled(reader) : stream->count;
    pieces->place.text = pieces->text.data;
    if (piece != NULL) {
        PyObject *step = Py_BuildValue("(nn)", (Py_ssize_t)settled, (Py_ssize_t)move_to(&pieces->place, reader->kind->position(reader)));
        if (step == NULL)
            return DONE;
        int failed = PyList_Append(pieces->steps, step);
        Py_DECREF(step);
        if (failed)
            return DONE;
    }
    if ((pieces->drops || !piece) && add_lexemes(stream, settled, &pieces->terminals, pieces->texts))
        reader->kind->drop(reader, settled);
    return DONE;
}

static PyObject *read_python_pieces(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *tables, *tokens, *list, *made = NULL;
    Pieces pieces = {0};
    Result result;
    if (!PyArg_ParseTuple(arguments, "OOOp", &tables, &tokens, &list, &pieces.drops) ||
        !new_reader(tables, tokens, &pieces.reader, &result))
        return NULL;
    pieces.steps = PyList_New(0);
    pieces.texts = PyList_New(0);
    Py_ssize_t count = PyList_Size(list);
    for (Py_ssize_t i = 0; result == DONE && !PyErr_Occurred() && i < count; i++) {
        PyObject *piece = PyList_GetItem(list, i); /* borrowed */
        if (piece != NULL)
            result = read_piece(&pieces, piece);
    }
    if (result == DONE && !PyErr_Occurred())
        result = read_piece(&pieces, NULL);
    if (result == NO_MEMORY)
        PyErr_NoMemory();
    else if (!PyErr_Occurred())
        made = result == DONE ? Py_BuildValue("(Oy#O)", pieces.steps, pieces.terminals.size ? pieces.terminals.data : "",
                                              (Py_ssize_t)pieces.terminals.size, pieces.texts)
                              : Py_BuildValue("(OOO)", pieces.steps, Py_None, Py_None);
    Py_XDECREF(pieces.steps);
    Py_XDECREF(pieces.texts);
    buffer_free(&pieces.text);
    buffer_free(&pieces.terminals);
    if (pieces.reader != NULL)
        pieces.reader->kind->free(pieces.reader);
    return made;
}

PyMethodDef python_methods[] = {
    {"python_tokens", make_tokens, METH_O, "python_tokens(tables): what the lexer of Python needs beside the tables"},
    {"read_python", read_python, METH_VARARGS,
     "read_python(tables, tokens, text, located): the terminals and the texts of a program, and where the lexemes start if that is wanted"},
    {"read_python_pieces", read_python_pieces, METH_VARARGS,
     "read_python_pieces(tables, tokens, pieces, drops): how many lexemes are settled and how far is read after each piece, and the "
     "terminals and texts of all, None for both if the text is refused; with drops, settled lexemes are forgotten; for tests"},
    {NULL, NULL, 0, NULL},
};
