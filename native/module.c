/* The extension module simpy_grammar._native. No state of its own, so sub-interpreters and threads share nothing but tables,
   which never change. Other objects are capsules; what they hold is used by one thread at a time. */

#include "module.h"

Result utf8_of(PyObject *text, const char **data, size_t *size) {
    Py_ssize_t length;
    *data = PyUnicode_AsUTF8AndSize(text, &length);
    if (*data == NULL) {
        Result result = PyErr_ExceptionMatches(PyExc_MemoryError) ? NO_MEMORY : CANNOT;
        PyErr_Clear();
        return result;
    }
    *size = (size_t)length;
    return *size > LARGEST_TEXT ? CANNOT : DONE;
}

PyObject *returned(Result result, PyObject *made) {
    if (result == DONE)
        return made;
    Py_XDECREF(made);
    if (result == NO_MEMORY)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

#define TABLES "simpy_grammar._native.tables"

static void free_tables(PyObject *capsule) { tables_free(PyCapsule_GetPointer(capsule, TABLES)); }

const Tables *tables_in(PyObject *capsule) { return PyCapsule_GetPointer(capsule, TABLES); }

static PyObject *make_tables(PyObject *module, PyObject *bytes) {
    (void)module;
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return NULL;
    Tables *tables;
    Result result = tables_make(&tables, data, (size_t)size);
    if (result != DONE)
        return returned(result, NULL);
    PyObject *capsule = PyCapsule_New(tables, TABLES, free_tables);
    if (capsule == NULL)
        tables_free(tables);
    return capsule;
}

static PyMethodDef table_methods[] = {
    {"tables", make_tables, METH_O, "tables(data): the compiled tables of a dialect; None if the data is not that of tables"},
    {NULL, NULL, 0, NULL},
};

static int fill_module(PyObject *module) {
    PyMethodDef *parts[] = {table_methods,    reading_methods,  spelling_methods, tree_methods, cost_methods,      passage_methods,
                            choosing_methods, template_methods, finding_methods,  mask_methods, mask_call_methods,
                            conversion_methods};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (PyModule_AddFunctions(module, parts[i]) < 0)
            return -1;
    return PyModule_AddStringConstant(module, "terminal_check", terminal_check);
}

static PyModuleDef_Slot old_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};
/* Py_mod_multiple_interpreters is 3 from CPython 3.12 on, and unknown before; its value 2 is: one GIL for each interpreter. */
static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill_module}, {3, (void *)2}, {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", "The native core.", 0, NULL, slots, NULL, NULL, NULL};
static struct PyModuleDef old_definition = {PyModuleDef_HEAD_INIT, "_native", "The native core.", 0, NULL, old_slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) {
    PyObject *version = PySys_GetObject("hexversion"); /* borrowed */
    long number = version != NULL ? PyLong_AsLong(version) : 0;
    PyErr_Clear(); /* it is no number: a program has put something else there */
    return PyModuleDef_Init(number < 0x030C0000 ? &old_definition : &definition);
}
