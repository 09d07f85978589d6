/* What texts cost. */

#include "learning.h"

#include <stdlib.h>

enum { MOST_TRIE_NODES = 60000, MOST_REMEMBERED = 2000000 };

PyObject *finished(Result result, PyObject *made) {
    if (result == RAISED) {
        Py_XDECREF(made);
        return NULL;
    }
    return returned(result, made);
}

Result append_number(PyObject *list, long long value) {
    PyObject *item = PyLong_FromLongLong(value);
    if (item == NULL)
        return RAISED;
    int failed = PyList_Append(list, item);
    Py_DECREF(item);
    return failed ? RAISED : DONE;
}

/* ------------------------------------------------------------------------------------------------- tables of texts */

void texts_free(Texts *texts) {
    free(texts->items);
    free(texts->slots);
    *texts = (Texts){0};
}

void texts_clear(Texts *texts) {
    texts->count = 0;
    if (texts->slot_count)
        memset(texts->slots, 0, texts->slot_count * sizeof(uint32_t));
}

static void put_in_slot(Texts *texts, uint32_t number) {
    size_t mask = texts->slot_count - 1, slot = texts->items[number].hash & mask;
    while (texts->slots[slot])
        slot = (slot + 1) & mask;
    texts->slots[slot] = number + 1;
}

/* Add a text that is not there. */
Result texts_add(Texts *texts, size_t at, size_t size, uint32_t hash) {
    if (texts->count >= NONE - 1)
        return CANNOT;
    if (2 * (texts->count + 1) > texts->slot_count) {
        size_t wanted = texts->slot_count ? 2 * texts->slot_count : 1024;
        uint32_t *slots = calloc(wanted, sizeof(uint32_t));
        if (slots == NULL)
            return NO_MEMORY;
        free(texts->slots);
        texts->slots = slots;
        texts->slot_count = wanted;
        for (size_t i = 0; i < texts->count; i++)
            put_in_slot(texts, (uint32_t)i);
    }
    RESERVE(texts->items, texts->room, texts->count + 1);
    texts->items[texts->count] = (Entry){hash, (uint32_t)at, (uint32_t)size};
    put_in_slot(texts, (uint32_t)texts->count++);
    return DONE;
}

/* ----------------------------------------------------------------------------------------------------------- costs */

static void costs_free(Costs *costs) {
    free(costs->trie);
    free(costs->is_special);
    buffer_free(&costs->bytes);
    texts_free(&costs->pieces);
    free(costs->cost);
    free(costs->missing);
    free(costs->used);
    free(costs);
}

static Result add_trie_node(Costs *costs) {
    if (costs->nodes >= MOST_TRIE_NODES)
        return CANNOT;
    RESERVE(costs->trie, costs->trie_room, costs->nodes + 1);
    RESERVE(costs->is_special, costs->special_room, costs->nodes + 1);
    memset(costs->trie[costs->nodes], 0, sizeof(*costs->trie));
    costs->is_special[costs->nodes++] = 0;
    return DONE;
}

static Result add_special(Costs *costs, const char *text, size_t size) {
    size_t node = 0;
    if (!size)
        return CANNOT;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (!costs->trie[node][byte]) {
            TRY(add_trie_node(costs));
            costs->trie[node][byte] = (uint16_t)(costs->nodes - 1);
        }
        node = costs->trie[node][byte];
    }
    costs->is_special[node] = 1;
    return DONE;
}

/* The size of the longest special token that a text begins with, or 0. */
static size_t special_at(const Costs *costs, const char *text, const char *end) {
    size_t longest = 0;
    const char *start = text;
    for (size_t node = 0; text < end && (node = costs->trie[node][(unsigned char)*text]) != 0;) {
        text++;
        if (costs->is_special[node])
            longest = (size_t)(text - start);
    }
    return longest;
}

static Result use_piece(Costs *costs, const char *text, size_t size) {
    if (!size)
        return DONE;
    uint32_t hash = hash_of(text, size), piece = texts_find(&costs->pieces, costs->bytes.data, text, size, hash);
    if (piece == NONE) {
        if (costs->bytes.size + size > LARGEST_TEXT)
            return CANNOT;
        piece = (uint32_t)costs->pieces.count;
        RESERVE(costs->cost, costs->cost_room, costs->pieces.count + 1);
        RESERVE(costs->missing, costs->missing_room, costs->missing_count + 1);
        size_t at = costs->bytes.size;
        TRY(buffer_add(&costs->bytes, text, size));
        TRY(texts_add(&costs->pieces, at, size, hash));
        costs->cost[piece] = -1;
        costs->missing[costs->missing_count++] = piece;
    }
    RESERVE(costs->used, costs->used_room, costs->used_count + 1);
    costs->used[costs->used_count++] = piece;
    return DONE;
}

static inline int is_letter(unsigned char byte) { return (unsigned char)((byte | 0x20) - 'a') < 26; }
static inline int ends_word(unsigned char byte) { return byte < 0x80 && !is_letter(byte) && byte != '\''; }

/* Note the pieces of a text; how many special tokens it has is added to `specials`. */
Result costs_use(Costs *costs, const char *text, size_t size, int64_t *specials) {
    const char *start = text, *end = text + size;
    const uint16_t *root = costs->trie[0];
    unsigned char before = 0;
    while (text < end) {
        unsigned char byte = (unsigned char)*text;
        size_t special = root[byte] ? special_at(costs, text, end) : 0;
        if (special || (costs->cuts && is_letter(before) && ends_word(byte))) {
            TRY(use_piece(costs, start, (size_t)(text - start)));
            start = text + special;
        }
        *specials += special != 0;
        text += special ? special : 1;
        before = special ? 0 : byte;
    }
    return use_piece(costs, start, (size_t)(end - start));
}

/* Before texts are counted. */
void costs_begin(Costs *costs) {
    costs->used_count = 0;
    if (costs->pieces.count > MOST_REMEMBERED || costs->bytes.size > LARGEST_TEXT / 4 || costs->missing_count) {
        texts_clear(&costs->pieces);
        costs->bytes.size = costs->missing_count = 0;
    }
}

static Result take_counts(Costs *costs, PyObject *counts) {
    if (PySequence_Size(counts) != (Py_ssize_t)costs->missing_count)
        return PyErr_Occurred() ? RAISED : CANNOT;
    for (size_t i = 0; i < costs->missing_count; i++) {
        PyObject *item = PySequence_GetItem(counts, (Py_ssize_t)i);
        if (item == NULL)
            return RAISED;
        long long cost = PyLong_AsLongLong(item);
        Py_DECREF(item);
        if (cost == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_OverflowError))
                return RAISED;
            PyErr_Clear();
        }
        if (cost < 0 || cost > LARGEST_COST)
            return CANNOT;
        costs->cost[costs->missing[i]] = cost;
    }
    costs->missing_count = 0;
    return DONE;
}

/* Ask the tokenizer for the pieces whose costs are not known. */
Result costs_load(Costs *costs, PyObject *count) {
    if (!costs->missing_count)
        return DONE;
    PyObject *texts = PyList_New((Py_ssize_t)costs->missing_count);
    if (texts == NULL)
        return RAISED;
    for (size_t i = 0; i < costs->missing_count; i++) {
        const Entry *entry = &costs->pieces.items[costs->missing[i]];
        PyObject *text = PyUnicode_DecodeUTF8(costs->bytes.data + entry->at, (Py_ssize_t)entry->size, NULL);
        if (text == NULL || PyList_SetItem(texts, (Py_ssize_t)i, text) < 0) {
            Py_DECREF(texts);
            return RAISED;
        }
    }
    PyObject *counts = PyObject_CallFunctionObjArgs(count, texts, NULL);
    Py_DECREF(texts);
    if (counts == NULL)
        return RAISED;
    Result result = take_counts(costs, counts);
    Py_DECREF(counts);
    return result;
}

/* The cost of some of the pieces that have been used. */
Result costs_of_used(const Costs *costs, size_t from, size_t to, int64_t *sum) {
    for (size_t i = from; i < to; i++)
        *sum += costs->cost[costs->used[i]];
    return *sum > LARGEST_COST ? CANNOT : DONE;
}

#define COSTS "simpy_grammar._native.costs"

static void free_costs(PyObject *capsule) { costs_free(PyCapsule_GetPointer(capsule, COSTS)); }

/* Take the costs of a capsule into use; the caller clears `is_busy`. CANNOT: they are in use. */
Result costs_take(PyObject *capsule, Costs **costs) {
    *costs = PyCapsule_GetPointer(capsule, COSTS);
    if (*costs == NULL)
        return RAISED;
    if ((*costs)->is_busy)
        return CANNOT;
    (*costs)->is_busy = 1;
    return DONE;
}

static Result fill_costs(Costs *costs, PyObject *specials) {
    TRY(add_trie_node(costs));
    if (!PyList_Check(specials))
        return CANNOT;
    for (Py_ssize_t i = 0; i < PyList_Size(specials); i++) {
        const char *text;
        size_t size;
        TRY(utf8_of(PyList_GetItem(specials, i), &text, &size));
        TRY(add_special(costs, text, size));
    }
    return DONE;
}

static PyObject *make_costs(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *specials;
    int cuts;
    if (!PyArg_ParseTuple(args, "Op", &specials, &cuts))
        return NULL;
    Costs *costs = calloc(1, sizeof(Costs));
    if (costs == NULL)
        return PyErr_NoMemory();
    costs->cuts = cuts;
    Result result = fill_costs(costs, specials);
    PyObject *capsule = result == DONE ? PyCapsule_New(costs, COSTS, free_costs) : NULL;
    if (capsule == NULL)
        costs_free(costs);
    return result == DONE ? capsule : returned(result, NULL);
}

Result costs_append(const Costs *costs, const Counted *counted, size_t count, PyObject *list) {
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t sum = counted[i].specials;
        TRY(costs_of_used(costs, from, counted[i].end, &sum));
        from = counted[i].end;
        TRY(append_number(list, sum));
    }
    return DONE;
}

static Result count_listed(Costs *costs, PyObject *texts, size_t number, PyObject *count, Counted *counted, PyObject *list) {
    costs_begin(costs);
    for (size_t i = 0; i < number; i++) {
        const char *text;
        size_t size;
        TRY(utf8_of(PyList_GetItem(texts, (Py_ssize_t)i), &text, &size));
        TRY(costs_use(costs, text, size, &counted[i].specials));
        counted[i].end = costs->used_count;
    }
    TRY(costs_load(costs, count));
    return costs_append(costs, counted, number, list);
}

/* What runs between asking for the size of a list and reading it may change the list, so nothing does. */
static Result count_texts(Costs *costs, PyObject *texts, PyObject *count, PyObject *list) {
    size_t number = (size_t)PyList_Size(texts);
    Counted *counted = calloc(number + 1, sizeof(Counted));
    Result result = counted == NULL ? NO_MEMORY : count_listed(costs, texts, number, count, counted, list);
    free(counted);
    return result;
}

static PyObject *text_costs(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *texts, *count;
    Costs *costs;
    if (!PyArg_ParseTuple(args, "OO!O", &capsule, &PyList_Type, &texts, &count))
        return NULL;
    PyObject *list = PyList_New(0);
    Result result = list == NULL ? RAISED : costs_take(capsule, &costs);
    if (result == DONE) {
        result = count_texts(costs, texts, count, list);
        costs->is_busy = 0;
    }
    return finished(result, list);
}

PyMethodDef cost_methods[] = {
    {"costs", make_costs, METH_VARARGS, "costs(specials, ends_at_words): remembers what texts cost, for the functions below"},
    {"text_costs", text_costs, METH_VARARGS, "text_costs(costs, texts, count): the tokens of each text"},
    {NULL, NULL, 0, NULL},
};
