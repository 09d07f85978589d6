/* The walks of masks, as Python calls them; mask_parser.h says what they are. */

#include "mask_parser.h"
#include "module.h"

#include <stdlib.h>

#define WALKS "simpy_grammar._native.walks"

enum { EDGE_NUMBERS = 8 }; /* that each edge begins with */

static void walks_free(Walks *walks) {
    for (size_t i = 0; i < walks->shelf_count; i++) {
        Shelf *shelf = &walks->shelves[i];
        for (size_t k = 0; k < shelf->owned_count; k++)
            free(shelf->owned[k]);
        for (size_t k = 0; k < shelf->held_count; k++)
            Py_DECREF((PyObject *)shelf->held[k]);
        void *owned[] = {shelf->sets,  shelf->tries, (void *)shelf->set_parts, (void *)shelf->set_bits, (void *)shelf->trie_parts,
                         shelf->edges, shelf->owned, shelf->held};
        for (size_t k = 0; k < sizeof(owned) / sizeof(*owned); k++)
            free(owned[k]);
    }
    void *owned[] = {walks->modes,  walks->shifted,      walks->is_fresh,         walks->shelves,          walks->edges,
                     walks->absent, walks->is_laid,      walks->blocks,           walks->items,            walks->opens,
                     walks->todo,   walks->members,      walks->answers,          walks->parts,            walks->reduced,
                     walks->edge_index.slots, walks->block_index.slots, walks->item_index.slots, walks->open_index.slots,
                     walks->answer_index.slots};
    for (size_t i = 0; i < sizeof(owned) / sizeof(*owned); i++)
        free(owned[i]);
    store_free(&walks->store);
    Py_XDECREF((PyObject *)walks->owner);
    free(walks);
}

static void free_walks(PyObject *capsule) { walks_free(PyCapsule_GetPointer(capsule, WALKS)); }

static Walks *walks_in(PyObject *capsule) { return PyCapsule_GetPointer(capsule, WALKS); }

static void *copied(const char *data, Py_ssize_t size) {
    void *copy = malloc((size_t)size + 1);
    if (copy != NULL && size)
        memcpy(copy, data, (size_t)size);
    return copy;
}

/* Take over what is said of the states: numbers of modes, and a byte each for what is shifted and whether a line begins. */
static Result learn_states(Walks *walks, const char *modes, Py_ssize_t mode_size, const char *shifted, Py_ssize_t shifted_size,
                           const char *fresh, Py_ssize_t fresh_size) {
    size_t states = state_count(walks);
    if ((size_t)mode_size != states * sizeof(uint32_t) || (size_t)shifted_size != states || (size_t)fresh_size != states || states > 65535)
        return CANNOT;
    for (size_t i = 0; i < states; i++)
        if ((unsigned char)shifted[i] > BEGINS)
            return CANNOT;
    walks->modes = copied(modes, mode_size);
    walks->shifted = copied(shifted, shifted_size);
    walks->is_fresh = copied(fresh, fresh_size);
    return walks->modes != NULL && walks->shifted != NULL && walks->is_fresh != NULL ? DONE : NO_MEMORY;
}

static PyObject *start_walks(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *tables_capsule;
    const char *modes, *shifted, *fresh, *stands;
    Py_ssize_t size, indent, dedent, mode_size, shifted_size, fresh_size, stands_size;
    if (!PyArg_ParseTuple(args, "Onnny#y#y#y#", &tables_capsule, &size, &indent, &dedent, &modes, &mode_size, &shifted, &shifted_size,
                          &fresh, &fresh_size, &stands, &stands_size))
        return NULL;
    const Tables *tables = tables_in(tables_capsule);
    if (tables == NULL)
        return NULL;
    if (size < 0 || size > (Py_ssize_t)LARGEST_TEXT / 64 || indent >= tables->tokens || dedent >= tables->tokens ||
        (indent < 0) != (dedent < 0) || stands_size != STANDS)
        Py_RETURN_NONE;
    Walks *walks = calloc(1, sizeof(Walks));
    if (walks == NULL)
        return PyErr_NoMemory();
    walks->tables = tables;
    walks->size = (uint32_t)size;
    walks->indent = indent < 0 ? NONE : (uint32_t)indent;
    walks->dedent = dedent < 0 ? NONE : (uint32_t)dedent;
    memcpy(walks->stands, stands, STANDS);
    Py_INCREF(tables_capsule);
    walks->owner = tables_capsule;
    Result result = learn_states(walks, modes, mode_size, shifted, shifted_size, fresh, fresh_size);
    if (result == DONE)
        result = walks_start(walks);
    PyObject *capsule = result == DONE ? PyCapsule_New(walks, WALKS, free_walks) : NULL;
    if (capsule == NULL)
        walks_free(walks);
    return result == DONE ? capsule : returned(result, NULL);
}

/* ---------------------------------------------------------------------------------------------------------- shelves */

/* Edges: the token, the number of the mode, where it must stand, what is refused, whether it is an indent, its columns, how many
   tokens must be absent, and these. */
static Result add_edges(Walks *walks, Shelf *shelf, const uint32_t *at, const uint32_t *end) {
    uint32_t keys = token_count(walks) + 2;
    while (at < end) {
        if (end - at < EDGE_NUMBERS)
            return CANNOT;
        AskedEdge edge = {.key = at[0], .mode = at[1], .where = at[2], .refused = at[3], .is_laid = at[4], .column = at[5], .narrow = at[6]};
        edge.absent_count = at[7];
        at += EDGE_NUMBERS;
        if (edge.key >= keys || edge.where >= STANDS / INNERMOST || (edge.refused != NONE && edge.refused >= keys - 2) ||
            edge.is_laid != (edge.key >= keys - 2) || edge.absent_count > (size_t)(end - at))
            return CANNOT;
        for (uint32_t i = 0; i < edge.absent_count; i++)
            if (at[i] >= keys)
                return CANNOT;
        ROOM_FOR(walks->absent, walks->absent_room, walks->absent_count + edge.absent_count);
        edge.absent = (uint32_t)walks->absent_count;
        if (edge.absent_count)
            memcpy(walks->absent + walks->absent_count, at, edge.absent_count * sizeof(uint32_t));
        walks->absent_count += edge.absent_count;
        at += edge.absent_count;
        ROOM_FOR(shelf->edges, shelf->edge_room, shelf->edge_count + 1);
        TRY(edge_of(walks, edge, &shelf->edges[shelf->edge_count]));
        shelf->edge_count++;
    }
    return DONE;
}

static Result add_sets(const Walks *walks, Shelf *shelf, const uint32_t *at, const uint32_t *end, const char *bits, size_t bits_size) {
    size_t width = ((size_t)walks->size + 7) / 8;
    while (at < end) {
        const uint32_t *part = at++;
        size_t count = *part == NONE ? 0 : *part;
        if (count > (size_t)(end - at) || (*part == NONE && bits_size < width))
            return CANNOT;
        at += count;
        ROOM_FOR(shelf->set_parts, shelf->set_part_room, shelf->set_count + 1);
        ROOM_FOR(shelf->set_bits, shelf->set_bits_room, shelf->set_count + 1);
        ROOM_FOR(shelf->sets, shelf->set_room, shelf->set_count + 1);
        shelf->set_parts[shelf->set_count] = part;
        shelf->set_bits[shelf->set_count] = bits;
        shelf->sets[shelf->set_count++] = NONE;
        if (*part == NONE) {
            bits += width;
            bits_size -= width;
        }
    }
    return bits_size ? CANNOT : DONE;
}

static Result add_stored_tries(Shelf *shelf, const uint32_t *at, const uint32_t *end) {
    while (at < end) {
        if (end - at < 2 || at[0] >= shelf->set_count || at[1] > (size_t)(end - at - 2) / 2)
            return CANNOT;
        for (uint32_t i = 0; i < at[1]; i++)
            if (at[2 + 2 * i] >= shelf->edge_count || at[3 + 2 * i] >= shelf->trie_count)
                return CANNOT;
        ROOM_FOR(shelf->trie_parts, shelf->trie_part_room, shelf->trie_count + 1);
        ROOM_FOR(shelf->tries, shelf->trie_room, shelf->trie_count + 1);
        shelf->trie_parts[shelf->trie_count] = at;
        shelf->tries[shelf->trie_count++] = NONE;
        at += 2 + 2 * (size_t)at[1];
    }
    return DONE;
}

static uint32_t *owned_numbers(Shelf *shelf, const char *data, Py_ssize_t size) {
    void *items = shelf->owned;
    uint32_t *copy = array_reserve(&items, &shelf->owned_room, shelf->owned_count + 1, sizeof(void *)) == DONE ? copied(data, size) : NULL;
    shelf->owned = items;
    if (copy != NULL)
        shelf->owned[shelf->owned_count++] = copy;
    return copy;
}

static Result shelf_add(Walks *walks, Shelf *shelf, const char *edges, Py_ssize_t edge_size, const char *sets, Py_ssize_t set_size,
                        PyObject *bits, const char *tries, Py_ssize_t trie_size) {
    uint32_t *edge_numbers = owned_numbers(shelf, edges, edge_size), *set_numbers = owned_numbers(shelf, sets, set_size);
    uint32_t *trie_numbers = owned_numbers(shelf, tries, trie_size);
    if (edge_numbers == NULL || set_numbers == NULL || trie_numbers == NULL)
        return NO_MEMORY;
    ROOM_FOR(shelf->held, shelf->held_room, shelf->held_count + 1);
    Py_INCREF(bits);
    shelf->held[shelf->held_count++] = bits;
    TRY(add_edges(walks, shelf, edge_numbers, edge_numbers + (size_t)edge_size / sizeof(uint32_t)));
    TRY(add_sets(walks, shelf, set_numbers, set_numbers + (size_t)set_size / sizeof(uint32_t), PyBytes_AsString(bits), (size_t)PyBytes_Size(bits)));
    return add_stored_tries(shelf, trie_numbers, trie_numbers + (size_t)trie_size / sizeof(uint32_t));
}

static PyObject *add_shelf(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *bits;
    const char *edges, *sets, *tries;
    Py_ssize_t number, edge_size, set_size, trie_size;
    if (!PyArg_ParseTuple(args, "Ony#y#Oy#", &capsule, &number, &edges, &edge_size, &sets, &set_size, &bits, &tries, &trie_size))
        return NULL;
    Walks *walks = walks_in(capsule);
    if (walks == NULL)
        return NULL;
    if (number < 0 || (size_t)number > walks->shelf_count || !PyBytes_Check(bits))
        Py_RETURN_NONE;
    Result result = DONE;
    if ((size_t)number == walks->shelf_count) {
        void *items = walks->shelves;
        result = array_reserve(&items, &walks->shelf_room, walks->shelf_count + 1, sizeof(Shelf));
        walks->shelves = items;
        if (result == DONE)
            walks->shelves[walks->shelf_count++] = (Shelf){0};
    }
    if (result == DONE)
        result = shelf_add(walks, &walks->shelves[number], edges, edge_size, sets, set_size, bits, tries, trie_size);
    return result == DONE ? PyBool_FromLong(1) : returned(result, NULL);
}

/* The set of the store that one of a shelf is. */
static Result take_set(Walks *walks, Shelf *shelf, uint32_t number, uint32_t *made) {
    Walker *store = &walks->store;
    *made = shelf->sets[number];
    if (*made != NONE)
        return DONE;
    const uint32_t *part = shelf->set_parts[number];
    if (*part != NONE) {
        for (uint32_t i = 1; i <= *part; i++)
            if (part[i] >= walks->size || (i > 1 && part[i] <= part[i - 1]))
                return CANNOT;
        if (*part >= FEW)
            return CANNOT;
        TRY(set_of_few(store, part + 1, *part, made));
    } else {
        const unsigned char *bits = (const unsigned char *)shelf->set_bits[number];
        size_t width = ((size_t)walks->size + 7) / 8;
        scratch_clear(store);
        for (size_t i = 0; i < width; i++)
            store->scratch_bits[i / 8] |= (uint64_t)bits[i] << 8 * (i % 8);
        for (size_t id = walks->size; id < 8 * width; id++)
            if (store->scratch_bits[id / 64] >> (id % 64) & 1)
                return CANNOT;
        TRY(set_of_scratch_bits(store, made));
    }
    shelf->sets[number] = *made;
    return DONE;
}

/* The trie of the store that one of a shelf is. Those below it come before it on the shelf, so this ends. */
static Result take_trie(Walks *walks, Shelf *shelf, uint32_t root, uint32_t *made) {
    Walker *store = &walks->store;
    store->stack_count = 0;
    TRY(walker_push(store, root));
    while (store->stack_count) {
        uint32_t number = store->stack[store->stack_count - 1];
        const uint32_t *part = shelf->trie_parts[number];
        size_t before = store->stack_count;
        for (uint32_t i = 0; shelf->tries[number] == NONE && i < part[1]; i++)
            if (shelf->tries[part[3 + 2 * i]] == NONE)
                TRY(walker_push(store, part[3 + 2 * i]));
        if (store->stack_count > before)
            continue;
        store->stack_count--;
        if (shelf->tries[number] != NONE)
            continue;
        uint32_t set;
        TRY(take_set(walks, shelf, part[0], &set));
        store->scratch_count = 0;
        for (uint32_t i = 0; i < part[1]; i++) {
            uint32_t pair[2] = {shelf->edges[part[2 + 2 * i]], shelf->tries[part[3 + 2 * i]]};
            TRY(scratch_append(store, pair, 2));
        }
        TRY(trie_of(store, set, store->scratch, part[1], &shelf->tries[number]));
    }
    *made = shelf->tries[root];
    return DONE;
}

/* ------------------------------------------------------------------------------------------------------------ walks */

static PyObject *python_found(Result result, Found found) {
    return result == DONE ? Py_BuildValue("II", (unsigned int)found.ids, (unsigned int)found.open) : returned(result, NULL);
}

static PyObject *walk_trie_of(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    Py_ssize_t shelf, number, state, block;
    if (!PyArg_ParseTuple(args, "Onnnn", &capsule, &shelf, &number, &state, &block))
        return NULL;
    Walks *walks = walks_in(capsule);
    if (walks == NULL)
        return NULL;
    if (shelf < 0 || (size_t)shelf >= walks->shelf_count || number < 0 || (size_t)number >= walks->shelves[shelf].trie_count || state < 0 ||
        (size_t)state >= state_count(walks) || block < 0 || (size_t)block >= walks->block_count)
        Py_RETURN_NONE;
    uint32_t trie = 0;
    Found found = {0, 0};
    Result result = take_trie(walks, &walks->shelves[shelf], (uint32_t)number, &trie);
    if (result == DONE)
        result = walk_from(walks, trie, (uint32_t)state, (uint32_t)block, &found);
    return python_found(result, found);
}

static PyObject *walk_further(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    Py_ssize_t open, state;
    if (!PyArg_ParseTuple(args, "Onn", &capsule, &open, &state))
        return NULL;
    Walks *walks = walks_in(capsule);
    if (walks == NULL)
        return NULL;
    if (open < 0 || (size_t)open >= walks->open_count || state < 0 || (size_t)state >= state_count(walks))
        Py_RETURN_NONE;
    Found found = {0, 0};
    Result result = walk_on_from(walks, (uint32_t)open, (uint32_t)state, &found);
    return python_found(result, found);
}

static PyObject *add_block(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule;
    Py_ssize_t parent;
    unsigned int column, narrow;
    if (!PyArg_ParseTuple(args, "OnII", &capsule, &parent, &column, &narrow))
        return NULL;
    Walks *walks = walks_in(capsule);
    if (walks == NULL)
        return NULL;
    if (parent < 0 || (size_t)parent >= walks->block_count)
        Py_RETURN_NONE;
    uint32_t made = 0;
    Result result = block_of(walks, (uint32_t)parent, column, narrow, &made);
    return result == DONE ? PyLong_FromUnsignedLong(made) : returned(result, NULL);
}

/* The ids of some sets, as bits, 8 in each byte. */
static PyObject *unite_sets(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *sets;
    if (!PyArg_ParseTuple(args, "OO!", &capsule, &PyTuple_Type, &sets))
        return NULL;
    Walks *walks = walks_in(capsule);
    if (walks == NULL)
        return NULL;
    Py_ssize_t count = PyTuple_Size(sets);
    Walker *store = &walks->store;
    scratch_clear(store);
    for (Py_ssize_t i = 0; i < count; i++) {
        size_t number = PyLong_AsSize_t(PyTuple_GetItem(sets, i));
        if (number == (size_t)-1 && PyErr_Occurred())
            return NULL;
        if (number >= store->set_count)
            Py_RETURN_NONE;
        scratch_add_set(store, &store->sets[number]);
    }
    size_t width = ((size_t)walks->size + 7) / 8;
    char *bytes = malloc(store->set_words * sizeof(uint64_t) + 1);
    if (bytes == NULL)
        return PyErr_NoMemory();
    for (size_t i = 0; i < store->set_words; i++)
        for (size_t k = 0; k < sizeof(uint64_t); k++)
            bytes[8 * i + k] = (char)(store->scratch_bits[i] >> 8 * k & 0xFF);
    PyObject *made = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)width);
    free(bytes);
    return made;
}

/* How many bytes the records take. Shelves are not counted: they hold what Python keeps of the tries, too. */
static PyObject *size_of_walks(PyObject *module, PyObject *capsule) {
    (void)module;
    const Walks *walks = walks_in(capsule);
    if (walks == NULL)
        return NULL;
    const Walker *store = &walks->store;
    size_t slots = store->set_index.room + store->trie_index.room + walks->edge_index.room + walks->block_index.room +
                   walks->item_index.room + walks->open_index.room + walks->answer_index.room;
    size_t numbers = slots + store->few_room + store->pair_room + store->scratch_room + walks->absent_room + walks->member_room + walks->todo_room;
    size_t size = numbers * sizeof(uint32_t) + store->bits_room * sizeof(uint64_t) + store->set_room * sizeof(Set) +
                  store->trie_room * sizeof(Trie) + store->run_room * sizeof(Run) + walks->laid_room + walks->edge_room * sizeof(AskedEdge) +
                  walks->block_room * sizeof(OpenBlock) + walks->item_room * sizeof(Item) + walks->open_room * sizeof(Open) +
                  walks->answer_room * sizeof(Answer);
    return PyLong_FromSize_t(size);
}

PyMethodDef mask_call_methods[] = {
    {"start_walks", start_walks, METH_VARARGS,
     "start_walks(tables, size, indent, dedent, modes, shifted, fresh, stands): what walks tries of ids below size"},
    {"add_shelf", add_shelf, METH_VARARGS, "add_shelf(walks, shelf, edges, sets, bits, tries): take sets and tries that may be walked"},
    {"add_block", add_block, METH_VARARGS, "add_block(walks, blocks, column, narrow): the number of open blocks and one more"},
    {"walk_trie", walk_trie_of, METH_VARARGS, "walk_trie(walks, shelf, trie, state, blocks): the numbers of a set and of what is open"},
    {"walk_further", walk_further, METH_VARARGS, "walk_further(walks, open, state): the same with the next state below"},
    {"unite_sets", unite_sets, METH_VARARGS, "unite_sets(walks, sets): the ids as bits"},
    {"size_of_walks", size_of_walks, METH_O, "size_of_walks(walks): how many bytes they take"},
    {NULL, NULL, 0, NULL},
};
