/* Programs that are spelled in many dialects. */

#include "learning.h"

#include <stdlib.h>

/* Programs that hold terminals where a dialect puts spellings. */
typedef struct {
    int32_t terminal; /* -1: text */
    uint32_t at, size;
} Piece;

typedef struct {
    Piece *pieces;
    size_t *ends; /* program -> where its pieces end */
    size_t count, programs, room;
    Buffer bytes;
} Templates;

/* How the terminals are spelled: the first text of each, and the second one, for between closing and opening signs. */
typedef struct {
    const char *text[2];
    size_t size[2];
    size_t count;
} Spellings;

static void templates_free(Templates *templates) {
    free(templates->pieces);
    free(templates->ends);
    buffer_free(&templates->bytes);
    free(templates);
}

static Result add_piece(Templates *templates, PyObject *item) {
    Piece piece = {-1, (uint32_t)templates->bytes.size, 0};
    if (PyUnicode_Check(item)) {
        const char *text;
        size_t size;
        TRY(utf8_of(item, &text, &size));
        if (templates->bytes.size + size > LARGEST_TEXT)
            return CANNOT;
        TRY(buffer_add(&templates->bytes, text, size));
        piece.size = (uint32_t)size;
    } else if (!PyLong_Check(item)) {
        return CANNOT;
    } else {
        long terminal = PyLong_AsLong(item);
        if (terminal == -1 && PyErr_Occurred())
            PyErr_Clear();
        if (terminal < 0 || terminal > 0xFFFF)
            return CANNOT;
        piece.terminal = (int32_t)terminal;
    }
    RESERVE(templates->pieces, templates->room, templates->count + 1);
    templates->pieces[templates->count++] = piece;
    return DONE;
}

static Result fill_templates(Templates *templates, PyObject *programs) {
    size_t count = (size_t)PyList_Size(programs);
    templates->ends = calloc(count + 1, sizeof(size_t));
    if (templates->ends == NULL)
        return NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        PyObject *program = PyList_GetItem(programs, (Py_ssize_t)i);
        if (!PyList_Check(program))
            return CANNOT;
        for (Py_ssize_t k = 0; k < PyList_Size(program); k++)
            TRY(add_piece(templates, PyList_GetItem(program, k)));
        templates->ends[templates->programs++] = templates->count;
    }
    return buffer_reserve(&templates->bytes, 1);
}

#define TEMPLATES "simpy_grammar._native.templates"

static void free_templates(PyObject *capsule) { templates_free(PyCapsule_GetPointer(capsule, TEMPLATES)); }

static PyObject *make_templates(PyObject *module, PyObject *programs) {
    (void)module;
    Templates *templates = calloc(1, sizeof(Templates));
    if (templates == NULL)
        return PyErr_NoMemory();
    Result result = PyList_Check(programs) ? fill_templates(templates, programs) : CANNOT;
    PyObject *capsule = result == DONE ? PyCapsule_New(templates, TEMPLATES, free_templates) : NULL;
    if (capsule == NULL)
        templates_free(templates);
    return result == DONE ? capsule : returned(result, NULL);
}

static Result read_spellings(Spellings *spellings, PyObject *table, size_t count) {
    for (size_t i = 0; i < count; i++) {
        PyObject *texts = PyList_GetItem(table, (Py_ssize_t)i);
        if (!PyTuple_Check(texts) || PyTuple_Size(texts) < 1)
            return CANNOT;
        spellings[i].count = (size_t)PyTuple_Size(texts);
        for (size_t k = 0; k < 2 && k < spellings[i].count; k++)
            TRY(utf8_of(PyTuple_GetItem(texts, (Py_ssize_t)k), &spellings[i].text[k], &spellings[i].size[k]));
    }
    return DONE;
}

static int is_one_of(const char *text, size_t size, size_t at, const char *signs) {
    return size && text[at] && strchr(signs, text[at]) != NULL;
}

/* Write a program as a dialect spells it. */
static Result spell_template(const Templates *templates, size_t program, const Spellings *spellings, size_t count, Buffer *out) {
    const char *last = NULL, *bytes = templates->bytes.data;
    size_t last_size = 0, end = templates->ends[program];
    out->size = 0;
    for (size_t i = program ? templates->ends[program - 1] : 0; i < end; i++) {
        Piece piece = templates->pieces[i];
        const char *text = bytes + piece.at;
        size_t size = piece.size;
        if (piece.terminal >= 0) {
            if ((size_t)piece.terminal >= count)
                return CANNOT;
            const Spellings *own = &spellings[piece.terminal];
            int which = 0;
            if (own->count > 1 && is_one_of(last, last_size, last_size - 1, ")]}'\"")) {
                if (i + 1 == end)
                    return CANNOT;
                Piece after = templates->pieces[i + 1];
                if (after.terminal >= (int32_t)count)
                    return CANNOT;
                const Spellings *next = after.terminal < 0 ? NULL : &spellings[after.terminal];
                which = is_one_of(next ? next->text[0] : bytes + after.at, next ? next->size[0] : after.size, 0, "([{'\"");
            }
            text = own->text[which];
            size = own->size[which];
        }
        TRY(buffer_add(out, text, size));
        last = text;
        last_size = size;
    }
    return DONE;
}

typedef struct {
    const Templates *templates;
    Costs *costs;
    PyObject *table, *which, *count;
} Spelling;

static Result cost_listed(const Spelling *asked, Spellings *spellings, size_t terminals, Counted *counted, size_t number, Buffer *out,
                          PyObject *list) {
    TRY(read_spellings(spellings, asked->table, terminals));
    costs_begin(asked->costs);
    for (size_t i = 0; i < number; i++) {
        int64_t program;
        TRY(number_at(asked->which, i, 0, (int64_t)asked->templates->programs - 1, &program));
        TRY(spell_template(asked->templates, (size_t)program, spellings, terminals, out));
        TRY(costs_use(asked->costs, out->data, out->size, &counted[i].specials));
        counted[i].end = asked->costs->used_count;
    }
    TRY(costs_load(asked->costs, asked->count));
    return costs_append(asked->costs, counted, number, list);
}

/* As with texts, nothing runs that may change the lists. */
static Result cost_templates(const Spelling *asked, PyObject *list) {
    size_t number = (size_t)PyList_Size(asked->which), terminals = (size_t)PyList_Size(asked->table);
    Spellings *spellings = calloc(terminals + 1, sizeof(Spellings));
    Counted *counted = calloc(number + 1, sizeof(Counted));
    Buffer out = {0};
    Result result = spellings == NULL || counted == NULL ? NO_MEMORY : buffer_reserve(&out, 1);
    if (result == DONE)
        result = cost_listed(asked, spellings, terminals, counted, number, &out, list);
    free(spellings);
    free(counted);
    buffer_free(&out);
    return result;
}

static PyObject *template_costs(PyObject *module, PyObject *args) {
    (void)module;
    Spelling asked;
    PyObject *templates, *costs;
    if (!PyArg_ParseTuple(args, "OO!O!OO", &templates, &PyList_Type, &asked.table, &PyList_Type, &asked.which, &costs, &asked.count))
        return NULL;
    asked.templates = PyCapsule_GetPointer(templates, TEMPLATES);
    PyObject *list = asked.templates == NULL ? NULL : PyList_New(0);
    Result result = list == NULL ? RAISED : costs_take(costs, &asked.costs);
    if (result == DONE) {
        result = cost_templates(&asked, list);
        asked.costs->is_busy = 0;
    }
    return finished(result, list);
}

PyMethodDef template_methods[] = {
    {"templates", make_templates, METH_O, "templates(programs): programs that hold numbers of terminals where a dialect puts spellings"},
    {"template_costs", template_costs, METH_VARARGS,
     "template_costs(templates, spellings, which, costs, count): the tokens of some programs in a dialect"},
    {NULL, NULL, 0, NULL},
};
