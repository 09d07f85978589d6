/* What the parts of the extension module share: Python's API, and how values cross the border. */

#ifndef SIMPY_MODULE_H
#define SIMPY_MODULE_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030A0000 /* CPython 3.10 and later: one wheel for each platform */
#endif
#include <Python.h>

#include "core.h"

/* The functions of each part; each array ends with {NULL}. A part is a file that is named after it. */
extern PyMethodDef reading_methods[], spelling_methods[], tree_methods[], cost_methods[], passage_methods[], choosing_methods[],
    template_methods[], finding_methods[], mask_methods[], mask_call_methods[], conversion_methods[];

/* The UTF-8 of a str, which the str keeps. CANNOT (no Python error is set): lone surrogates, or too large. */
Result utf8_of(PyObject *text, const char **data, size_t *size);

/* What a function returns: for CANNOT None, for NO_MEMORY an error, for DONE `made` (which it takes over, and drops otherwise). */
PyObject *returned(Result result, PyObject *made);

/* The tables in a capsule that `tables` has made; NULL with a Python error if it is none. */
const Tables *tables_in(PyObject *capsule);

/* The same for what `spelling` has made. */
const struct Spelling *spelling_in(PyObject *capsule);

/* A stream as Python has it: (terminals, texts), and with `located` the offsets where the lexemes start, in characters. */
PyObject *python_stream(const Stream *stream, int located);

/* Lexemes out of the lists of a simpy_grammar.stream.Stream: their terminals as bytes, and their texts, which are copied. */
Result stream_of(Stream *stream, PyObject *terminals, PyObject *texts);

#endif
