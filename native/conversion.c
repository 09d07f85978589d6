/* Conversions: a reader, its stream, a writer. Whole texts, and text that arrives in pieces. */

#include "module.h"
#include "reader.h"
#include "writer.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------------- sources and targets */

#define SOURCE "simpy_grammar._native.source"
#define TARGET "simpy_grammar._native.target"

/* A spelling to read: the tables of its dialect, and what its lexer needs. Never changed once it is made. */
typedef struct {
    PyObject *capsule; /* keeps the tables */
    const Tables *tables;
    SimPyTokens *simpy; /* one of these two */
    PythonTokens *python;
} Source;

static void free_source(PyObject *capsule) {
    Source *source = PyCapsule_GetPointer(capsule, SOURCE);
    simpy_tokens_free(source->simpy);
    python_tokens_free(source->python);
    Py_DECREF(source->capsule);
    free(source);
}

static PyObject *make_source(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule;
    int is_python, aliases;
    const char *ends = NULL, *parameters = NULL;
    Py_ssize_t size, parameters_size;
    if (!PyArg_ParseTuple(arguments, "Opi|y#y#", &capsule, &is_python, &aliases, &ends, &size, &parameters, &parameters_size))
        return NULL;
    const Tables *tables = tables_in(capsule);
    if (tables == NULL)
        return NULL;
    Source *source = calloc(1, sizeof(Source));
    if (source == NULL)
        return PyErr_NoMemory();
    source->tables = tables;
    Result result = is_python ? python_tokens_make(&source->python, tables) : simpy_tokens_make(&source->simpy, tables);
    if (result == DONE && !is_python)
        result = simpy_tokens_alias(source->simpy, tables, aliases);
    if (result == DONE && !is_python && parameters != NULL)
        result = simpy_tokens_imply(source->simpy, tables, ends, (size_t)size, parameters, (size_t)parameters_size);
    PyObject *made = result == DONE ? PyCapsule_New(source, SOURCE, free_source) : NULL;
    if (made == NULL) {
        simpy_tokens_free(source->simpy);
        python_tokens_free(source->python);
        free(source);
        return result == DONE ? NULL : returned(result, NULL);
    }
    Py_INCREF(capsule);
    source->capsule = capsule;
    return made;
}

static Result new_reader(Reader **made, const Source *source) {
    return source->python != NULL ? python_reader_new(made, source->tables, source->python)
                                  : simpy_reader_new(made, source->tables, source->simpy);
}

static void free_reader(Reader *reader) {
    if (reader != NULL)
        reader->kind->free(reader);
}

typedef enum { LAYOUT, COMPACT, SPELLED } TargetKind;

/* What to write. The texts are those of the objects that it keeps. */
typedef struct {
    TargetKind kind;
    size_t width;
    const char *indent, *base, *modules;
    size_t indent_size, base_size, modules_size;
    const Spelling *spelling;
    PyObject *kept; /* a tuple */
} Target;

static void free_target(PyObject *capsule) {
    Target *target = PyCapsule_GetPointer(capsule, TARGET);
    Py_DECREF(target->kept);
    free(target);
}

static PyObject *new_target(Target wanted, PyObject *kept) {
    Target *target = malloc(sizeof(Target));
    if (target == NULL)
        return PyErr_NoMemory();
    *target = wanted;
    target->kept = kept;
    PyObject *capsule = PyCapsule_New(target, TARGET, free_target);
    if (capsule == NULL)
        free(target);
    else
        Py_INCREF(kept);
    return capsule;
}

static PyObject *make_layout(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *width, *indent, *base, *modules;
    if (!PyArg_ParseTuple(arguments, "OUUU", &width, &indent, &base, &modules))
        return NULL;
    Target target = {.kind = LAYOUT, .width = (size_t)-1};
    if (width != Py_None) {
        target.width = PyLong_AsSize_t(width);
        if (PyErr_Occurred()) {
            PyErr_Clear();
            Py_RETURN_NONE; /* a width that is no width */
        }
    }
    Result result = utf8_of(indent, &target.indent, &target.indent_size);
    if (result == DONE)
        result = utf8_of(base, &target.base, &target.base_size);
    if (result == DONE)
        result = utf8_of(modules, &target.modules, &target.modules_size);
    return result == DONE ? new_target(target, arguments) : returned(result, NULL);
}

static PyObject *make_compact(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *base;
    if (!PyArg_ParseTuple(arguments, "U", &base))
        return NULL;
    Target target = {.kind = COMPACT};
    Result result = utf8_of(base, &target.base, &target.base_size);
    return result == DONE ? new_target(target, arguments) : returned(result, NULL);
}

static PyObject *make_spelled(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule;
    if (!PyArg_ParseTuple(arguments, "O", &capsule))
        return NULL;
    Target target = {.kind = SPELLED, .spelling = spelling_in(capsule)};
    return target.spelling == NULL ? NULL : new_target(target, arguments);
}

static Result new_writer(Writer **made, const Target *target) {
    switch (target->kind) {
    case LAYOUT:
        return layout_new(made, target->width, target->indent, target->indent_size, target->base, target->base_size, target->modules,
                          target->modules_size);
    case COMPACT:
        return compact_new(made, target->base, target->base_size);
    default:
        return speller_new(made, target->spelling);
    }
}

static void free_writer(Writer *writer) {
    if (writer != NULL)
        writer->kind->free(writer);
}

/* -------------------------------------------------------------------------------------------------- whole texts */

/* Ask Python about the names beyond ASCII that have been read since the last time. */
static Result check_names(const Source *source, Reader *reader) {
    const Lexeme *names;
    size_t count = source->python == NULL ? 0 : python_reader_odd_names(reader, &names);
    for (size_t i = 0; i < count; i++) {
        PyObject *name = PyUnicode_DecodeUTF8(lexeme_text(&reader->automaton.stream, &names[i]), names[i].size, NULL);
        int is_name = name == NULL ? 0 : PyUnicode_IsIdentifier(name);
        Result result = is_name > 0 ? DONE : name == NULL && PyErr_ExceptionMatches(PyExc_MemoryError) ? NO_MEMORY : CANNOT;
        Py_XDECREF(name);
        PyErr_Clear();
        TRY(result);
    }
    return DONE;
}

/* Read a whole text. The GIL is held when this is called and when it returns, and not in between. */
static Result read_whole(Reader **made, const Source *source, PyObject *text) {
    const char *data;
    size_t size;
    TRY(utf8_of(text, &data, &size));
    if (size > LARGEST_PROGRAM)
        return CANNOT;
    TRY(new_reader(made, source));
    Reader *reader = *made;
    Result result;
    Py_BEGIN_ALLOW_THREADS
    if (source->simpy != NULL)
        result = simpy_read_all(reader, data, size);
    else {
        result = reader->kind->feed(reader, data, size);
        if (result == DONE)
            result = reader->kind->close(reader);
    }
    Py_END_ALLOW_THREADS
    return result == DONE ? check_names(source, reader) : result;
}

static Result write_whole(Writer **made, const Target *target, const Stream *stream) {
    TRY(new_writer(made, target));
    Writer *writer = *made;
    size_t taken;
    Result result;
    Py_BEGIN_ALLOW_THREADS
    result = writer->kind->write(writer, stream, stream->count, 1, &taken);
    Py_END_ALLOW_THREADS
    return result;
}

static PyObject *text_of(Buffer *buffer) { return PyUnicode_DecodeUTF8(buffer->size ? buffer->data : "", (Py_ssize_t)buffer->size, NULL); }

static PyObject *convert(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *source_capsule, *text, *target_capsule;
    if (!PyArg_ParseTuple(arguments, "OUO", &source_capsule, &text, &target_capsule))
        return NULL;
    const Source *source = PyCapsule_GetPointer(source_capsule, SOURCE);
    const Target *target = source == NULL ? NULL : PyCapsule_GetPointer(target_capsule, TARGET);
    if (target == NULL)
        return NULL;
    Reader *reader = NULL;
    Writer *writer = NULL;
    Result result = read_whole(&reader, source, text);
    if (result == DONE)
        result = write_whole(&writer, target, &reader->automaton.stream);
    PyObject *made = result == DONE ? text_of(&writer->out) : NULL;
    free_reader(reader);
    free_writer(writer);
    return result == DONE ? made : returned(result, NULL);
}

static PyObject *read_text(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule, *text;
    int located;
    if (!PyArg_ParseTuple(arguments, "OUp", &capsule, &text, &located))
        return NULL;
    const Source *source = PyCapsule_GetPointer(capsule, SOURCE);
    if (source == NULL)
        return NULL;
    Reader *reader = NULL;
    Result result = read_whole(&reader, source, text);
    PyObject *made = result == DONE ? python_stream(&reader->automaton.stream, located) : NULL;
    free_reader(reader);
    return result == DONE ? made : returned(result, NULL);
}

static PyObject *write_stream(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule, *terminals, *texts;
    if (!PyArg_ParseTuple(arguments, "OSO!", &capsule, &terminals, &PyList_Type, &texts))
        return NULL;
    const Target *target = PyCapsule_GetPointer(capsule, TARGET);
    if (target == NULL)
        return NULL;
    Stream stream = {0};
    Writer *writer = NULL;
    Result result = stream_of(&stream, terminals, texts);
    if (PyErr_Occurred())
        result = CANNOT;
    if (result == DONE)
        result = write_whole(&writer, target, &stream);
    PyObject *made = result == DONE ? text_of(&writer->out) : NULL;
    free_writer(writer);
    stream_free(&stream);
    if (PyErr_Occurred())
        return NULL;
    return result == DONE ? made : returned(result, NULL);
}

/* The next lexeme that means something, from `at` on; the end if there is none. */
static size_t next_told(const Stream *stream, const unsigned char *written, size_t at) {
    while (at < stream->count && (written[at] == T_WITH_PARENTHESES || written[at] == T_SPACE))
        at++;
    return at;
}

/* Whether two programs are the same lexemes, parentheses aside that mean nothing. */
static int same_lexemes(const Stream *one, const unsigned char *written, const Stream *other, const unsigned char *other_written) {
    size_t i = next_told(one, written, 0), j = next_told(other, other_written, 0);
    while (i < one->count && j < other->count) {
        const Lexeme *a = &one->items[i], *b = &other->items[j];
        int role = terminal_role[a->terminal];
        /* Which comma it is, a tuple without its parentheses says otherwise. */
        if (a->terminal != b->terminal && (role != ROLE_SEPARATOR || terminal_role[b->terminal] != ROLE_SEPARATOR))
            return 0;
        if (role == ROLE_DATA || role == ROLE_COMMENT) {
            const char *text = lexeme_text(one, a), *other_text = lexeme_text(other, b);
            size_t size = a->size, other_size = b->size;
            while (role == ROLE_COMMENT && size && text[size - 1] == '\n')
                size--;
            while (role == ROLE_COMMENT && other_size && other_text[other_size - 1] == '\n')
                other_size--;
            if (size != other_size || (size && memcmp(text, other_text, size) != 0))
                return 0;
        }
        i = next_told(one, written, i + 1);
        j = next_told(other, other_written, j + 1);
    }
    return i == one->count && j == other->count;
}

static PyObject *same_stream(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsules[2], *texts[2];
    if (!PyArg_ParseTuple(arguments, "OUOU", &capsules[0], &texts[0], &capsules[1], &texts[1]))
        return NULL;
    Reader *readers[2] = {NULL, NULL};
    unsigned char *written[2] = {NULL, NULL};
    Result result = DONE;
    for (int i = 0; i < 2 && result == DONE; i++) {
        const Source *source = PyCapsule_GetPointer(capsules[i], SOURCE);
        if (source == NULL)
            break;
        result = read_whole(&readers[i], source, texts[i]);
        if (result == DONE)
            result = without_redundant(&readers[i]->automaton.stream, readers[i]->automaton.stream.count, &written[i]);
    }
    int same = 0;
    if (result == DONE && !PyErr_Occurred())
        same = same_lexemes(&readers[0]->automaton.stream, written[0], &readers[1]->automaton.stream, written[1]);
    for (int i = 0; i < 2; i++) {
        free_reader(readers[i]);
        free(written[i]);
    }
    if (PyErr_Occurred())
        return NULL;
    return result == DONE ? PyBool_FromLong(same) : returned(result, NULL);
}

/* ------------------------------------------------------------------------------------------- text in pieces */

#define CONVERTER "simpy_grammar._native.converter"

typedef struct {
    PyObject *source, *target; /* capsules */
    Reader *reader;
    Writer *writer;
    int is_stopped; /* it could not go on, or is at its end */
} Converter;

static void free_converter(PyObject *capsule) {
    Converter *converter = PyCapsule_GetPointer(capsule, CONVERTER);
    free_reader(converter->reader);
    free_writer(converter->writer);
    Py_XDECREF(converter->source);
    Py_XDECREF(converter->target);
    free(converter);
}

static PyObject *make_converter(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *source_capsule, *target_capsule;
    if (!PyArg_ParseTuple(arguments, "OO", &source_capsule, &target_capsule))
        return NULL;
    const Source *source = PyCapsule_GetPointer(source_capsule, SOURCE);
    const Target *target = source == NULL ? NULL : PyCapsule_GetPointer(target_capsule, TARGET);
    if (target == NULL)
        return NULL;
    Converter *converter = calloc(1, sizeof(Converter));
    PyObject *capsule = converter == NULL ? PyErr_NoMemory() : PyCapsule_New(converter, CONVERTER, free_converter);
    if (capsule == NULL) {
        free(converter);
        return NULL;
    }
    Py_INCREF(source_capsule);
    Py_INCREF(target_capsule);
    converter->source = source_capsule;
    converter->target = target_capsule;
    Result result = new_reader(&converter->reader, source);
    if (result == DONE)
        result = new_writer(&converter->writer, target);
    if (result == DONE)
        return capsule;
    Py_DECREF(capsule);
    return returned(result, NULL);
}

static Result go_on(Converter *converter, const Source *source, const char *data, size_t size, int final) {
    Reader *reader = converter->reader;
    Writer *writer = converter->writer;
    const Stream *stream = &reader->automaton.stream;
    if (stream->base + stream->text.size + size > LARGEST_PROGRAM)
        return CANNOT;
    TRY(reader->kind->feed(reader, data, size));
    if (final)
        TRY(reader->kind->close(reader));
    TRY(check_names(source, reader));
    size_t settled = final ? reader->automaton.stream.count : reader->kind->settled(reader), taken = 0;
    if (settled || final)
        TRY(writer->kind->write(writer, &reader->automaton.stream, settled, final, &taken));
    reader->kind->drop(reader, taken);
    return DONE;
}

/* Pieces are short: the GIL stays. Most calls are of this function, so its arguments come as an array. */
static PyObject *go_on_with(PyObject *const *arguments, Py_ssize_t count, int final) {
    Converter *converter = count == 2 ? PyCapsule_GetPointer(arguments[0], CONVERTER) : NULL;
    if (converter == NULL || !PyUnicode_Check(arguments[1])) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a converter and a str are wanted");
        return NULL;
    }
    const char *data;
    size_t size;
    Result result = converter->is_stopped ? CANNOT : utf8_of(arguments[1], &data, &size);
    if (result == DONE)
        result = go_on(converter, PyCapsule_GetPointer(converter->source, SOURCE), data, size, final);
    converter->is_stopped = final || result != DONE;
    if (result != DONE)
        return returned(result, NULL);
    Buffer *out = &converter->writer->out;
    PyObject *made = text_of(out);
    converter->is_stopped |= made == NULL;
    out->size = 0;
    return made;
}

static PyObject *feed(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    return go_on_with(arguments, count, 0);
}

static PyObject *finish(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    return go_on_with(arguments, count, 1);
}

/* Offset of the first byte that has not been understood. */
static PyObject *position(PyObject *module, PyObject *capsule) {
    (void)module;
    Converter *converter = PyCapsule_GetPointer(capsule, CONVERTER);
    if (converter == NULL)
        return NULL;
    Reader *reader = converter->reader;
    const Source *source = PyCapsule_GetPointer(converter->source, SOURCE);
    const Stream *stream = &reader->automaton.stream;
    size_t at = reader->kind->position(reader);
    if (source->simpy != NULL && stream->count && stream->items[stream->count - 1].terminal == T_PENDING)
        at -= stream->items[stream->count - 1].size; /* what comes next tells what it is */
    return PyLong_FromSize_t(at);
}

PyMethodDef conversion_methods[] = {
    {"source", make_source, METH_VARARGS, "source(tables, is_python, aliases[, ends, parameters]): a spelling to read; the last two only where closing brackets are implied"},
    {"layout", make_layout, METH_VARARGS, "layout(width, indent, base, modules): Python as PEP 8 lays it out, to write"},
    {"compact", make_compact, METH_VARARGS, "compact(base): compact Python, to write"},
    {"spelled", make_spelled, METH_VARARGS, "spelled(spelling): a dialect of SimPy, to write"},
    {"convert", convert, METH_VARARGS, "convert(source, text, target): the text of a whole program in another spelling"},
    {"read", read_text, METH_VARARGS, "read(source, text, located): the lexemes of a whole program: terminals, texts, starts if asked for"},
    {"write", write_stream, METH_VARARGS, "write(target, terminals, texts): the text of a whole program"},
    {"same_stream", same_stream, METH_VARARGS, "same_stream(source, text, other_source, other): whether two programs are the same lexemes"},
    {"converter", make_converter, METH_VARARGS, "converter(source, target): a conversion of text in pieces"},
    {"feed", (PyCFunction)(void (*)(void))feed, METH_FASTCALL, "feed(converter, text): the text that a piece settles"},
    {"finish", (PyCFunction)(void (*)(void))finish, METH_FASTCALL, "finish(converter, text): the rest, after a last piece"},
    {"position", position, METH_O, "position(converter): the first byte that has not been understood"},
    {NULL, NULL, 0, NULL},
};
