/* The tries of a vocabulary, as Python calls them; mask.h says what they are. */

#include "mask.h"
#include "module.h"

#include <stdlib.h>

void store_free(Walker *walker) {
    for (size_t i = 0; i < walker->forest_count; i++) {
        free(walker->forests[i].nodes);
        free(walker->forests[i].below);
        free(walker->forests[i].ids);
    }
    void *owned[] = {walker->forests,    walker->states,     walker->steps,      walker->relevant,    walker->stays,      walker->lists,
                     walker->branches,   walker->paths,      walker->edges,      walker->followers,   walker->sets,       walker->few,
                     walker->bits,       walker->tries,      walker->pairs,      walker->every,       walker->restricted, walker->stamps,
                     walker->parts,      walker->places,     walker->lefts,      walker->runs,        walker->todo,       walker->missing,
                     walker->known,      walker->known_index.slots,
                     walker->scratch,    walker->stack,      walker->is_open,    walker->state_tries, walker->scratch_bits,
                     walker->set_index.slots,  walker->trie_index.slots, walker->part_index.slots,
                     walker->place_index.slots, walker->left_index.slots};
    for (size_t i = 0; i < sizeof(owned) / sizeof(*owned); i++)
        free(owned[i]);
}

static void walker_free(Walker *walker) {
    store_free(walker);
    free(walker);
}

#define WALKER "simpy_grammar._native.walker"

static void free_walker(PyObject *capsule) { walker_free(PyCapsule_GetPointer(capsule, WALKER)); }

/* The walker of a capsule, which nobody else uses; NULL with a Python error. */
static Walker *walker_in(PyObject *capsule) {
    Walker *walker = PyCapsule_GetPointer(capsule, WALKER);
    if (walker != NULL && walker->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "a constraint is used by two threads at a time");
        return NULL;
    }
    return walker;
}

static int mark(const char *text, Py_ssize_t size, size_t symbols, uint8_t *is_in) {
    for (Py_ssize_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] >= symbols)
            return 0;
        is_in[(unsigned char)text[i]] = 1;
    }
    return 1;
}

static PyObject *start_masks(PyObject *module, PyObject *args) {
    (void)module;
    Py_ssize_t symbols, keys, size, blank_size, no_code_size;
    const char *blanks, *no_code;
    if (!PyArg_ParseTuple(args, "nnny#y#", &symbols, &keys, &size, &blanks, &blank_size, &no_code, &no_code_size))
        return NULL;
    if (symbols < 1 || symbols > MOST_SYMBOLS || keys < 1 || keys > 65536 || size < 0 || size > (Py_ssize_t)LARGEST_TEXT / 64)
        Py_RETURN_NONE;
    Walker *walker = calloc(1, sizeof(Walker));
    if (walker == NULL)
        return PyErr_NoMemory();
    walker->symbols = (size_t)symbols;
    walker->words = ((size_t)symbols + 63) / 64;
    walker->key_words = ((size_t)keys + 63) / 64;
    Result result = store_start(walker, (size_t)size);
    if (result == DONE && !(mark(blanks, blank_size, walker->symbols, walker->is_blank) &&
                            mark(no_code, no_code_size, walker->symbols, walker->is_no_code)))
        result = CANNOT;
    PyObject *capsule = result == DONE ? PyCapsule_New(walker, WALKER, free_walker) : NULL;
    if (capsule == NULL)
        walker_free(walker);
    return result == DONE ? capsule : returned(result, NULL);
}

/* Numbers in bytes; they are copied, as they need not be aligned. */
static uint32_t *numbers_in(const char *data, Py_ssize_t size, Numbers *numbers) {
    uint32_t *copy = malloc((size_t)size + sizeof(uint32_t));
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (size)
        memcpy(copy, data, (size_t)size);
    *numbers = (Numbers){copy, copy + (size_t)size / sizeof(uint32_t)};
    return copy;
}

static Result forest_add(Walker *walker, const char *texts, size_t text_size, Numbers sizes, Numbers ids, const char *kinds,
                         size_t count, const char *atomic, size_t kind_count) {
    if ((size_t)(sizes.end - sizes.at) != count || (size_t)(ids.end - ids.at) != count || kind_count > 256 || text_size > LARGEST_TEXT)
        return CANNOT;
    ROOM_FOR(walker->forests, walker->forest_room, walker->forest_count + 1);
    Entry *entries = malloc((count + 1) * sizeof(Entry));
    if (entries == NULL)
        return NO_MEMORY;
    Forest forest = {0};
    Result result = DONE;
    size_t at = 0, kept = 0;
    for (size_t i = 0; i < text_size; i++)
        if ((unsigned char)texts[i] >= walker->symbols)
            result = CANNOT;
    for (size_t i = 0; i < count && result == DONE; i++) {
        uint8_t kind = (uint8_t)kinds[i];
        if (kind >= kind_count || sizes.at[i] > text_size - at || ids.at[i] >= walker->size)
            result = CANNOT;
        else
            entries[kept++] = (Entry){(const uint8_t *)texts + at, sizes.at[i], ids.at[i], kind};
        at += sizes.at[i];
    }
    for (size_t i = 0; i < kind_count; i++)
        forest.atomic[i] = (uint8_t)atomic[i];
    if (result == DONE)
        result = forest_make(walker, &forest, entries, kept);
    free(entries);
    walker->forests[walker->forest_count] = forest;
    if (result == DONE)
        walker->forest_count++;
    else {
        free(forest.nodes);
        free(forest.below);
        free(forest.ids);
    }
    return result;
}

static PyObject *add_forest(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    const char *texts, *sizes, *ids, *kinds, *atomic;
    Py_ssize_t text_size, size_size, id_size, kind_size, atomic_size;
    if (!PyArg_ParseTuple(args, "Oy#y#y#y#y#", &capsule, &texts, &text_size, &sizes, &size_size, &ids, &id_size, &kinds, &kind_size,
                          &atomic, &atomic_size))
        return NULL;
    Walker *walker = walker_in(capsule);
    if (walker == NULL)
        return NULL;
    Numbers size_numbers, id_numbers;
    uint32_t *size_copy = numbers_in(sizes, size_size, &size_numbers);
    uint32_t *id_copy = size_copy == NULL ? NULL : numbers_in(ids, id_size, &id_numbers);
    Result result = NO_MEMORY;
    if (id_copy != NULL) {
        walker->is_busy = 1;
        Py_BEGIN_ALLOW_THREADS
        result = forest_add(walker, texts, (size_t)text_size, size_numbers, id_numbers, kinds, (size_t)kind_size, atomic, (size_t)atomic_size);
        Py_END_ALLOW_THREADS
        walker->is_busy = 0;
    }
    free(size_copy);
    free(id_copy);
    return result == DONE ? PyLong_FromSize_t(walker->forest_count - 1) : returned(result, NULL);
}

static PyObject *learn_lexer(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    const char *data;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Oy#", &capsule, &data, &size))
        return NULL;
    Walker *walker = walker_in(capsule);
    Numbers numbers;
    uint32_t *copy = walker == NULL ? NULL : numbers_in(data, size, &numbers);
    if (copy == NULL)
        return NULL;
    Result result = lexer_learn(walker, numbers);
    free(copy);
    return result == DONE ? PyBool_FromLong(1) : returned(result, NULL);
}

static PyObject *bytes_of_numbers(const uint32_t *numbers, size_t count) {
    return PyBytes_FromStringAndSize((const char *)numbers, (Py_ssize_t)(count * sizeof(uint32_t)));
}

enum { OF_STATES, OF_WALK, OF_SHORN };

static Result make_tries(Walker *walker, int kind, uint32_t *states, size_t count, uint32_t forest) {
    lexer_forget_missing(walker);
    walker->stack_count = 0;
    if (!walker->forest_count || forest >= (kind == OF_WALK ? walker->forest_count : walker->symbols))
        return CANNOT;
    for (size_t i = 0; i < count; i++)
        if (states[i] >= walker->state_count)
            return CANNOT;
    if (kind == OF_STATES) {
        TRY(make_states(walker, states, count));
        for (size_t i = 0; i < count && !walker->missing_count; i++)
            states[i] = walker->state_tries[states[i]];
        return DONE;
    }
    for (size_t i = 0; i < count && !walker->missing_count; i++) {
        uint32_t made = 0;
        TRY(kind == OF_WALK ? make_walk(walker, states[i], &walker->forests[forest], &made) : make_shorn(walker, states[i], forest, &made));
        if (!walker->missing_count)
            states[i] = made;
    }
    return DONE;
}

static PyObject *find_tries(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    const char *data;
    Py_ssize_t size;
    int kind;
    unsigned int forest;
    if (!PyArg_ParseTuple(args, "Oiy#I", &capsule, &kind, &data, &size, &forest))
        return NULL;
    Walker *walker = walker_in(capsule);
    Numbers numbers;
    uint32_t *copy = walker == NULL ? NULL : numbers_in(data, size, &numbers);
    if (copy == NULL)
        return NULL;
    size_t count = (size_t)(numbers.end - numbers.at);
    Result result;
    walker->is_busy = 1;
    Py_BEGIN_ALLOW_THREADS
    result = make_tries(walker, kind, copy, count, forest);
    Py_END_ALLOW_THREADS
    walker->is_busy = 0;
    PyObject *found = NULL, *missing = NULL;
    if (result == DONE) {
        missing = bytes_of_numbers(walker->missing, walker->missing_count);
        found = missing == NULL ? NULL : bytes_of_numbers(copy, walker->missing_count ? 0 : count);
    }
    free(copy);
    if (result != DONE)
        return returned(result, NULL);
    PyObject *both = found == NULL ? NULL : PyTuple_Pack(2, found, missing);
    Py_XDECREF(found);
    Py_XDECREF(missing);
    return both;
}

/* The sets and tries from some numbers on: for each set how many ids it has, or NONE, and these ids; the bits of the others, by
   bytes; for each trie its set, how many branches it has, and an edge and a trie for each. */
static PyObject *export_tries(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *parts[3] = {NULL, NULL, NULL}, *all = NULL;
    Py_ssize_t from_set, from_trie;
    if (!PyArg_ParseTuple(args, "Onn", &capsule, &from_set, &from_trie))
        return NULL;
    Walker *walker = walker_in(capsule);
    if (walker == NULL)
        return NULL;
    if (from_set < 0 || (size_t)from_set > walker->set_count || from_trie < 0 || (size_t)from_trie > walker->trie_count)
        Py_RETURN_NONE;
    Buffer sets = {0}, bits = {0}, tries = {0};
    Result result = DONE;
    size_t width = ((size_t)walker->size + 7) / 8;
    for (size_t i = (size_t)from_set; i < walker->set_count && result == DONE; i++) {
        const Set *set = &walker->sets[i];
        uint32_t head = set->count < FEW ? set->count : NONE;
        result = buffer_add(&sets, (const char *)&head, sizeof(head));
        if (result == DONE && set->count < FEW)
            result = buffer_add(&sets, (const char *)(walker->few + set->at), set->count * sizeof(uint32_t));
        if (set->count < FEW)
            continue;
        if (result == DONE)
            result = buffer_reserve(&bits, width);
        for (size_t at = 0; at < width && result == DONE; at++)
            bits.data[bits.size++] = (char)(set_bits(walker, set)[at / 8] >> 8 * (at % 8) & 0xFF);
    }
    for (size_t i = (size_t)from_trie; i < walker->trie_count && result == DONE; i++) {
        uint32_t head[2] = {walker->tries[i].set, walker->tries[i].count};
        result = buffer_add(&tries, (const char *)head, sizeof(head));
        if (result == DONE && head[1])
            result = buffer_add(&tries, (const char *)(walker->pairs + walker->tries[i].at), 2 * head[1] * sizeof(uint32_t));
    }
    Buffer *made[3] = {&sets, &bits, &tries};
    for (int i = 0; i < 3; i++) {
        if (result == DONE)
            parts[i] = PyBytes_FromStringAndSize(made[i]->size ? made[i]->data : "", (Py_ssize_t)made[i]->size);
        buffer_free(made[i]);
    }
    if (parts[0] != NULL && parts[1] != NULL && parts[2] != NULL)
        all = PyTuple_Pack(3, parts[0], parts[1], parts[2]);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(parts[i]);
    return result == DONE ? all : returned(result, NULL);
}

PyMethodDef mask_methods[] = {
    {"start_masks", start_masks, METH_VARARGS,
     "start_masks(symbols, keys, size, blanks, no_code): what makes the tries of a vocabulary of ids below size"},
    {"add_forest", add_forest, METH_VARARGS, "add_forest(walker, texts, sizes, ids, kinds, atomic): the number of some ids with texts"},
    {"learn_lexer", learn_lexer, METH_VARARGS, "learn_lexer(walker, numbers): take what a lexer does"},
    {"find_tries", find_tries, METH_VARARGS, "find_tries(walker, kind, states, forest): the tries of states, and what is not known"},
    {"export_tries", export_tries, METH_VARARGS, "export_tries(walker, set, trie): the sets and tries from some numbers on"},
    {NULL, NULL, 0, NULL},
};
