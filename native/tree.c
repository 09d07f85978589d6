/* Whether two syntax trees of CPython are the same: what transpiler.proof does.

   Only classes of `_ast` itself and values of the types that the parser makes are read, so that no code of anyone else runs on the
   way. Anything else is CANNOT.

   A tree of the parser holds each of its nodes once. One that somebody has built may share them, and hold itself. Pairs of objects that
   are referred to more than once are remembered and compared once, so that this ends, and soon: every circle has such an object. */

#include "module.h"

#include <stdlib.h>

typedef enum { NODE, LIST, PLAIN, FLOAT, COMPLEX } Kind;

typedef struct {
    PyObject *type; /* borrowed: a class of `_ast`, a built-in one, or NULL where this place of the table is free */
    PyObject *names; /* the `_fields` of a node */
    Kind kind;
} Class;

enum { CLASSES = 512, MOST_CLASSES = 384 }; /* CPython has less than two hundred */

typedef struct {
    PyObject *one, *other; /* owned */
} Pair;

typedef struct {
    Class classes[CLASSES];
    int class_count;
    Pair *stack;
    size_t depth, room;
    Pair *seen; /* a table by hash; free places are NULL */
    size_t seen_count, seen_room;
    int is_same;
} Comparison;

static Result after_error(void) {
    Result result = PyErr_ExceptionMatches(PyExc_MemoryError) ? NO_MEMORY : CANNOT;
    PyErr_Clear();
    return result;
}

/* Learn the fields of a node's class. CANNOT: it is none of `_ast`, or its fields are not names. */
static Result read_fields(Class *entry, PyObject *type) {
    if (Py_TYPE(type) != &PyType_Type)
        return CANNOT;
    PyObject *module = PyImport_ImportModule("_ast");
    PyObject *name = module == NULL ? NULL : PyObject_GetAttrString(type, "__name__");
    PyObject *found = name == NULL ? NULL : PyObject_GetAttr(module, name);
    PyObject *names = found != type ? NULL : PyObject_GetAttrString(type, "_fields");
    Py_XDECREF(module);
    Py_XDECREF(name);
    int is_other = found != NULL && found != type;
    Py_XDECREF(found);
    if (names == NULL)
        return is_other ? CANNOT : after_error();
    int is_usual = PyTuple_CheckExact(names);
    for (Py_ssize_t i = 0; is_usual && i < PyTuple_Size(names); i++)
        is_usual = PyUnicode_CheckExact(PyTuple_GetItem(names, i));
    if (!is_usual) {
        Py_DECREF(names);
        return CANNOT;
    }
    *entry = (Class){type, names, NODE};
    return DONE;
}

static Result new_class(Comparison *comparison, Class *entry, PyObject *type) {
    PyTypeObject *const plain[] = {&PyUnicode_Type, &PyLong_Type, &PyBytes_Type, &PyBool_Type, &PyEllipsis_Type};
    if (++comparison->class_count > MOST_CLASSES)
        return CANNOT;
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
        if (type == (PyObject *)plain[i] || type == (PyObject *)Py_TYPE(Py_None)) {
            *entry = (Class){type, NULL, PLAIN};
            return DONE;
        }
    if (type == (PyObject *)&PyList_Type || type == (PyObject *)&PyFloat_Type || type == (PyObject *)&PyComplex_Type) {
        *entry = (Class){type, NULL, type == (PyObject *)&PyList_Type ? LIST : type == (PyObject *)&PyFloat_Type ? FLOAT : COMPLEX};
        return DONE;
    }
    return read_fields(entry, type);
}

static Result class_of(Comparison *comparison, PyObject *type, const Class **found) {
    size_t place = ((uintptr_t)type >> 4) ^ ((uintptr_t)type >> 12);
    Class *entry;
    while ((entry = &comparison->classes[place % CLASSES])->type != NULL) {
        if (entry->type == type) {
            *found = entry;
            return DONE;
        }
        place++;
    }
    *found = entry;
    return new_class(comparison, entry, type);
}

static int same_number(double one, double other) {
    return one == other && (one != 0 || memcmp(&one, &other, sizeof one) == 0); /* written out, 0.0 and -0.0 differ */
}

static Result same_value(Comparison *comparison, Kind kind, PyObject *one, PyObject *other) {
    if (kind == FLOAT) {
        comparison->is_same = same_number(PyFloat_AsDouble(one), PyFloat_AsDouble(other));
    } else if (kind == COMPLEX) {
        comparison->is_same = same_number(PyComplex_RealAsDouble(one), PyComplex_RealAsDouble(other)) &&
                              same_number(PyComplex_ImagAsDouble(one), PyComplex_ImagAsDouble(other));
    } else {
        int same = PyObject_RichCompareBool(one, other, Py_EQ);
        if (same < 0)
            return after_error();
        comparison->is_same = same;
    }
    return DONE;
}

static Pair *place_of(const Comparison *comparison, Pair pair) {
    uint64_t hash = ((uint64_t)(uintptr_t)pair.one * 31 + (uint64_t)(uintptr_t)pair.other) * 0x9E3779B97F4A7C15u;
    size_t mask = comparison->seen_room - 1, at = (size_t)(hash >> 32) & mask;
    while (comparison->seen[at].one != NULL && (comparison->seen[at].one != pair.one || comparison->seen[at].other != pair.other))
        at = (at + 1) & mask;
    return &comparison->seen[at];
}

static Result grow_seen(Comparison *comparison) {
    Pair *old = comparison->seen;
    size_t old_room = comparison->seen_room, room = old_room ? 2 * old_room : 64;
    Pair *seen = calloc(room, sizeof(Pair));
    if (seen == NULL)
        return NO_MEMORY;
    comparison->seen = seen;
    comparison->seen_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].one != NULL)
            *place_of(comparison, old[i]) = old[i];
    free(old);
    return DONE;
}

/* Remember a pair; whether it was remembered before. */
static Result remember(Comparison *comparison, Pair pair, int *is_known) {
    if (2 * comparison->seen_count >= comparison->seen_room)
        TRY(grow_seen(comparison));
    Pair *place = place_of(comparison, pair);
    *is_known = place->one != NULL;
    if (!*is_known) {
        *place = (Pair){Py_NewRef(pair.one), Py_NewRef(pair.other)};
        comparison->seen_count++;
    }
    return DONE;
}

/* Compare two objects to which this holds a reference each; those with something below them wait on the stack. */
static Result compare_held(Comparison *comparison, Pair pair) {
    enum { ONCE = 2 }; /* references to an object of one tree: the tree's and this one */
    const Class *class;
    if (Py_TYPE(pair.one) != Py_TYPE(pair.other)) {
        comparison->is_same = 0;
        return DONE;
    }
    TRY(class_of(comparison, (PyObject *)Py_TYPE(pair.one), &class));
    if (class->kind != NODE && class->kind != LIST)
        return same_value(comparison, class->kind, pair.one, pair.other);
    if (Py_REFCNT(pair.one) != ONCE || Py_REFCNT(pair.other) != ONCE) {
        int is_known;
        TRY(remember(comparison, pair, &is_known));
        if (is_known)
            return DONE;
    }
    if (comparison->depth == comparison->room) {
        void *stack = comparison->stack;
        TRY(array_reserve(&stack, &comparison->room, comparison->depth + 1, sizeof(Pair)));
        comparison->stack = stack;
    }
    comparison->stack[comparison->depth++] = (Pair){Py_NewRef(pair.one), Py_NewRef(pair.other)};
    return DONE;
}

/* The same, and the references are dropped. */
static Result compare(Comparison *comparison, Pair pair) {
    Result result = compare_held(comparison, pair);
    Py_DECREF(pair.one);
    Py_DECREF(pair.other);
    return result;
}

static Result compare_lists(Comparison *comparison, Pair pair) {
    Py_ssize_t count = PyList_Size(pair.one);
    comparison->is_same = count == PyList_Size(pair.other);
    for (Py_ssize_t i = 0; comparison->is_same && i < count; i++) {
        PyObject *one = PyList_GetItem(pair.one, i), *other = PyList_GetItem(pair.other, i);
        if (one == NULL || other == NULL) { /* somebody else changes the tree */
            PyErr_Clear();
            return CANNOT;
        }
        if (one != other)
            TRY(compare(comparison, (Pair){Py_NewRef(one), Py_NewRef(other)}));
    }
    return DONE;
}

/* The value of a field, a new reference. A field that is missing, such as an absent optional child, is the same as None. */
static Result field_of(PyObject *node, PyObject *fields, PyObject *name, PyObject **found) {
    PyObject *value = PyDict_GetItemWithError(fields, name);
    if (value != NULL) {
        *found = Py_NewRef(value);
        return DONE;
    }
    if (PyErr_Occurred())
        return after_error();
    value = PyObject_GetAttr(node, name); /* of the class */
    if (value == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return after_error();
        PyErr_Clear();
    } else {
        int is_none = value == Py_None;
        Py_DECREF(value);
        if (!is_none)
            return CANNOT;
    }
    *found = Py_NewRef(Py_None);
    return DONE;
}

static Result fields_of(Pair pair, PyObject *ones, PyObject *others, PyObject *name, Pair *found) {
    TRY(field_of(pair.one, ones, name, &found->one));
    Result result = field_of(pair.other, others, name, &found->other);
    if (result != DONE)
        Py_DECREF(found->one);
    return result;
}

static Result compare_fields(Comparison *comparison, Pair pair, PyObject *names, PyObject *ones, PyObject *others) {
    Py_ssize_t count = PyTuple_Size(names), at = 0, other_at = 0;
    int in_order = 1; /* the parser sets the fields first, in their order */
    for (Py_ssize_t i = 0; comparison->is_same && i < count; i++) {
        PyObject *name = PyTuple_GetItem(names, i), *key, *other_key, *one, *other;
        Pair values;
        in_order = in_order && PyDict_Next(ones, &at, &key, &one) && key == name && PyDict_Next(others, &other_at, &other_key, &other) &&
                   other_key == name;
        if (in_order && one == other)
            continue;
        if (in_order)
            values = (Pair){Py_NewRef(one), Py_NewRef(other)};
        else
            TRY(fields_of(pair, ones, others, name, &values));
        if (values.one != values.other) {
            TRY(compare(comparison, values));
            continue;
        }
        Py_DECREF(values.one);
        Py_DECREF(values.other);
    }
    return DONE;
}

static Result compare_nodes(Comparison *comparison, Pair pair, PyObject *names) {
    PyObject *ones = PyObject_GenericGetDict(pair.one, NULL);
    PyObject *others = ones == NULL ? NULL : PyObject_GenericGetDict(pair.other, NULL);
    Result result = others == NULL ? after_error() : compare_fields(comparison, pair, names, ones, others);
    Py_XDECREF(ones);
    Py_XDECREF(others);
    return result;
}

static Result compare_trees(Comparison *comparison, PyObject *one, PyObject *other) {
    TRY(compare(comparison, (Pair){Py_NewRef(one), Py_NewRef(other)}));
    while (comparison->is_same && comparison->depth) {
        Pair pair = comparison->stack[--comparison->depth];
        const Class *class;
        Result result = class_of(comparison, (PyObject *)Py_TYPE(pair.one), &class);
        if (result == DONE)
            result = class->kind == LIST ? compare_lists(comparison, pair) : compare_nodes(comparison, pair, class->names);
        Py_DECREF(pair.one);
        Py_DECREF(pair.other);
        TRY(result);
    }
    return DONE;
}

static PyObject *same_tree(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *one, *other;
    if (!PyArg_ParseTuple(arguments, "OO:same_tree", &one, &other))
        return NULL;
    Comparison *comparison = calloc(1, sizeof *comparison);
    if (comparison == NULL)
        return PyErr_NoMemory();
    comparison->is_same = 1;
    Result result = compare_trees(comparison, one, other);
    int is_same = comparison->is_same;
    while (comparison->depth) {
        Pair pair = comparison->stack[--comparison->depth];
        Py_DECREF(pair.one);
        Py_DECREF(pair.other);
    }
    for (size_t i = 0; i < comparison->seen_room; i++) {
        Py_XDECREF(comparison->seen[i].one);
        Py_XDECREF(comparison->seen[i].other);
    }
    for (int i = 0; i < CLASSES; i++)
        Py_XDECREF(comparison->classes[i].names);
    free(comparison->seen);
    free(comparison->stack);
    free(comparison);
    return result == DONE ? PyBool_FromLong(is_same) : returned(result, NULL);
}

PyMethodDef tree_methods[] = {
    {"same_tree", same_tree, METH_VARARGS, "same_tree(one, other): whether two syntax trees are the same; None if they hold what no parser makes"},
    {NULL, NULL, 0, NULL},
};
