/* The bindings of the reader of SimPy. */

#include "module.h"
#include "reader.h"

#define TOKENS "simpy_grammar._native.simpy_tokens"

static void free_tokens(PyObject *capsule) {
    simpy_tokens_free(PyCapsule_GetPointer(capsule, TOKENS));
    Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule));
}

static PyObject *make_tokens(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *tables_capsule;
    int aliases = 0;
    const char *ends = NULL, *parameters = "";
    Py_ssize_t size = 0, parameters_size = 0;
    if (!PyArg_ParseTuple(arguments, "O|is#s#", &tables_capsule, &aliases, &ends, &size, &parameters, &parameters_size))
        return NULL;
    const Tables *tables = tables_in(tables_capsule);
    if (tables == NULL)
        return NULL;
    SimPyTokens *tokens;
    Result result = simpy_tokens_make(&tokens, tables);
    if (result == DONE)
        result = simpy_tokens_alias(tokens, tables, aliases);
    if (result == DONE && ends != NULL)
        result = simpy_tokens_imply(tokens, tables, ends, (size_t)size, parameters, (size_t)parameters_size);
    PyObject *capsule = result == DONE ? PyCapsule_New(tokens, TOKENS, free_tokens) : NULL;
    if (capsule == NULL) {
        simpy_tokens_free(tokens);
        return result == DONE ? NULL : returned(result, NULL);
    }
    if (PyCapsule_SetContext(capsule, tables_capsule) < 0) {
        Py_DECREF(capsule);
        return NULL;
    }
    Py_INCREF(tables_capsule); /* the capsule keeps the tables */
    return capsule;
}

/* The reader for a call with tables and tokens; NULL with a Python error. */
static Reader *new_reader(PyObject *tables_capsule, PyObject *tokens_capsule) {
    const Tables *tables = tables_in(tables_capsule);
    const SimPyTokens *tokens = tables == NULL ? NULL : PyCapsule_GetPointer(tokens_capsule, TOKENS);
    Reader *reader = NULL;
    if (tokens != NULL && PyCapsule_GetContext(tokens_capsule) != tables_capsule)
        PyErr_SetString(PyExc_ValueError, "the tokens are those of other tables");
    else if (tokens != NULL && simpy_reader_new(&reader, tables, tokens) != DONE)
        PyErr_NoMemory();
    return reader;
}

PyObject *python_stream(const Stream *stream, int located) {
    PyObject *terminals = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)stream->count);
    PyObject *texts = PyList_New((Py_ssize_t)stream->count);
    PyObject *starts = located ? PyList_New((Py_ssize_t)stream->count) : NULL;
    if (terminals == NULL || texts == NULL || (located && starts == NULL))
        goto failed;
    char *terminal = PyBytes_AsString(terminals);
    size_t bytes = stream->base, offset = 0; /* `offset` characters are `bytes` bytes */
    for (size_t i = 0; i < stream->count; i++) {
        const Lexeme *lexeme = &stream->items[i];
        terminal[i] = (char)lexeme->terminal;
        PyObject *text = PyUnicode_DecodeUTF8(lexeme->size ? lexeme_text(stream, lexeme) : "", (Py_ssize_t)lexeme->size, NULL);
        if (text == NULL || PyList_SetItem(texts, (Py_ssize_t)i, text) < 0)
            goto failed;
        if (!located)
            continue;
        if (lexeme->start > bytes)
            offset += characters(stream->text.data + (bytes - stream->base), lexeme->start - bytes);
        else if (lexeme->start < bytes)
            offset -= characters(stream->text.data + (lexeme->start - stream->base), bytes - lexeme->start);
        bytes = lexeme->start;
        PyObject *start = PyLong_FromSize_t(offset);
        if (start == NULL || PyList_SetItem(starts, (Py_ssize_t)i, start) < 0)
            goto failed;
    }
    return located ? Py_BuildValue("NNN", terminals, texts, starts) : Py_BuildValue("NN", terminals, texts);
failed:
    Py_XDECREF(terminals);
    Py_XDECREF(texts);
    Py_XDECREF(starts);
    return NULL;
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
    result = simpy_read_all(reader, data, size);
    Py_END_ALLOW_THREADS
    if (result == DONE)
        made = python_stream(&reader->automaton.stream, located);
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
        read += position > at ? characters(stream->text.data + at, position - at) : 0;
        at = position;
        PyObject *step = Py_BuildValue("nn", (Py_ssize_t)reader->kind->settled(reader), (Py_ssize_t)read);
        if (step == NULL || PyList_Append(steps, step) < 0)
            Py_CLEAR(steps);
        Py_XDECREF(step);
    }
    if (steps != NULL && result == DONE)
        result = reader->kind->close(reader);
    PyObject *lexemes = steps == NULL ? NULL : result == DONE ? python_stream(stream, 0) : returned(result, NULL);
    if (lexemes != NULL)
        made = PyTuple_Pack(2, steps, lexemes);
    Py_XDECREF(lexemes);
    Py_XDECREF(steps);
    reader->kind->free(reader);
    return made;
}

PyMethodDef reading_methods[] = {
    {"simpy_tokens", make_tokens, METH_VARARGS,
     "simpy_tokens(tables[, aliases[, ends, parameters]]): the tokens of a dialect, and what implies closing brackets; None if a pattern is not known"},
    {"read_simpy", read_simpy, METH_VARARGS,
     "read_simpy(tables, tokens, text, located): the terminals and texts of a program, and where they start; None if it cannot be read"},
    {"read_simpy_pieces", read_simpy_pieces, METH_VARARGS,
     "read_simpy_pieces(tables, tokens, pieces): how many lexemes are settled after each piece that can be read, and where; and all lexemes or None"},
    {NULL, NULL, 0, NULL},
};
