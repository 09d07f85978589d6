/* Learning tokens: what tokenizer_ext.learning.ngrams, .choosing and .segmenter do, and tokenizer_ext.costs and
   tokenizer_ext.fitting.templates for what is counted again and again.

   Texts are compared as bytes: lexemes that join to the same text are the same n-gram, however they are cut. A tokenizer is
   asked in Python, for many new texts at a time. */

#include "module.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define RAISED ((Result)3) /* Python has an error */
enum { MOST_GROUPS = 64, MOST_TRIE_NODES = 60000, AT_ONCE = 20000, MOST_REMEMBERED = 2000000 };
/* So that every product of a weight and a cost, and every sum of these, fits 64 bits. */
#define LARGEST_WEIGHT ((int64_t)1 << 32)
#define LARGEST_COST ((int64_t)1 << 29)

/* More items in an array that grows, whatever the type of its items. */
#define RESERVE(items, room, count)                                             \
    do {                                                                        \
        void *reserved_ = (items);                                              \
        Result result_ = array_reserve(&reserved_, &(room), (count), sizeof(*(items))); \
        (items) = reserved_;                                                    \
        TRY(result_);                                                           \
    } while (0)

/* ------------------------------------------------------------------------------------------------- tables of texts */

typedef struct {
    uint32_t hash, at, size;
} Entry;

/* Different texts, numbered in the order in which they were added; their bytes stand in a buffer beside this table. */
typedef struct {
    Entry *items;
    size_t count, room;
    uint32_t *slots; /* number + 1 */
    size_t slot_count;
} Texts;

static uint32_t hash_of(const char *data, size_t size) {
    const uint64_t factor = 0x9E3779B97F4A7C15u;
    uint64_t hash = ((uint64_t)size + 1) * factor, word;
    for (; size >= 8; size -= 8, data += 8) {
        memcpy(&word, data, 8);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    if (size >= 4) {
        uint32_t low, high;
        memcpy(&low, data, 4);
        memcpy(&high, data + size - 4, 4);
        word = (uint64_t)high << 32 | low;
    } else if (size) {
        word = (uint64_t)(unsigned char)data[0] << 16 | (uint64_t)(unsigned char)data[size / 2] << 8 | (unsigned char)data[size - 1];
    } else {
        word = 0;
    }
    hash = (hash ^ word) * factor;
    hash = (hash ^ hash >> 32) * factor;
    return (uint32_t)(hash >> 32);
}

static void texts_free(Texts *texts) {
    free(texts->items);
    free(texts->slots);
    *texts = (Texts){0};
}

static void texts_clear(Texts *texts) {
    texts->count = 0;
    if (texts->slot_count)
        memset(texts->slots, 0, texts->slot_count * sizeof(uint32_t));
}

static uint32_t texts_find(const Texts *texts, const char *base, const char *data, size_t size, uint32_t hash) {
    if (!texts->slot_count)
        return NONE;
    size_t mask = texts->slot_count - 1;
    for (size_t slot = hash & mask; texts->slots[slot]; slot = (slot + 1) & mask) {
        const Entry *entry = &texts->items[texts->slots[slot] - 1];
        if (entry->hash == hash && entry->size == size && memcmp(base + entry->at, data, size) == 0)
            return texts->slots[slot] - 1;
    }
    return NONE;
}

static void put_in_slot(Texts *texts, uint32_t number) {
    size_t mask = texts->slot_count - 1, slot = texts->items[number].hash & mask;
    while (texts->slots[slot])
        slot = (slot + 1) & mask;
    texts->slots[slot] = number + 1;
}

/* Add a text that is not there. */
static Result texts_add(Texts *texts, size_t at, size_t size, uint32_t hash) {
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

/* What texts cost: the special tokens in them, and the pieces between these. A piece is the whole text, or, where the tokenizer
   never merges over the end of a word, what goes to the next end of one. */
typedef struct {
    uint16_t (*trie)[256]; /* of the special tokens: node, byte -> node; 0 is the root, and none below it */
    uint8_t *is_special;   /* node -> whether a special token ends there */
    size_t nodes, trie_room, special_room;
    int cuts;
    int is_busy; /* somebody uses it: what a tokenizer calls, or another thread, may not */
    Buffer bytes;
    Texts pieces;
    int64_t *cost; /* piece -> tokens, -1 if they are not known yet */
    size_t cost_room;
    uint32_t *missing; /* pieces that the tokenizer has to be asked for */
    size_t missing_count, missing_room;
    /* The texts that are counted at present: */
    uint32_t *used; /* their pieces, one text after the other */
    size_t used_count, used_room;
} Costs;

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
static Result use_text(Costs *costs, const char *text, size_t size, int64_t *specials) {
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
static void costs_begin(Costs *costs) {
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
static Result costs_load(Costs *costs, PyObject *count) {
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
static Result cost_of_used(const Costs *costs, size_t from, size_t to, int64_t *sum) {
    for (size_t i = from; i < to; i++)
        *sum += costs->cost[costs->used[i]];
    return *sum > LARGEST_COST ? CANNOT : DONE;
}

#define COSTS "simpy_grammar._native.costs"

static void free_costs(PyObject *capsule) { costs_free(PyCapsule_GetPointer(capsule, COSTS)); }

/* Take the costs of a capsule into use; the caller clears `is_busy`. CANNOT: they are in use. */
static Result take_costs(PyObject *capsule, Costs **costs) {
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

/* How each of some texts has been used, until its cost is summed up. */
typedef struct {
    size_t end;
    int64_t specials;
} Counted;

static Result append_long(PyObject *list, long long value) {
    PyObject *item = PyLong_FromLongLong(value);
    if (item == NULL)
        return RAISED;
    int failed = PyList_Append(list, item);
    Py_DECREF(item);
    return failed ? RAISED : DONE;
}

static Result append_costs(const Costs *costs, const Counted *counted, size_t count, PyObject *list) {
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t sum = counted[i].specials;
        TRY(cost_of_used(costs, from, counted[i].end, &sum));
        from = counted[i].end;
        TRY(append_long(list, sum));
    }
    return DONE;
}

static PyObject *finished(Result result, PyObject *made) {
    if (result == RAISED) {
        Py_XDECREF(made);
        return NULL;
    }
    return returned(result, made);
}

static Result count_listed(Costs *costs, PyObject *texts, size_t number, PyObject *count, Counted *counted, PyObject *list) {
    costs_begin(costs);
    for (size_t i = 0; i < number; i++) {
        const char *text;
        size_t size;
        TRY(utf8_of(PyList_GetItem(texts, (Py_ssize_t)i), &text, &size));
        TRY(use_text(costs, text, size, &counted[i].specials));
        counted[i].end = costs->used_count;
    }
    TRY(costs_load(costs, count));
    return append_costs(costs, counted, number, list);
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
    Result result = list == NULL ? RAISED : take_costs(capsule, &costs);
    if (result == DONE) {
        result = count_texts(costs, texts, count, list);
        costs->is_busy = 0;
    }
    return finished(result, list);
}

/* -------------------------------------------------------------------------------------------------------- passages */

typedef struct {
    size_t count, room, lexemes, groups;
    uint32_t *first; /* passage -> its first lexeme; one more at the end */
    uint32_t *at;    /* lexeme -> where its text begins in `bytes`; one more at the end */
    uint32_t *kind;  /* lexeme -> number of its text in `kinds` */
    int64_t *weight;
    uint32_t *group;
    size_t at_room, kind_room;
    Buffer bytes;
    Texts kinds;
} Corpus;

static void corpus_free(Corpus *corpus) {
    free(corpus->first);
    free(corpus->at);
    free(corpus->kind);
    free(corpus->weight);
    free(corpus->group);
    buffer_free(&corpus->bytes);
    texts_free(&corpus->kinds);
}

static Result add_lexeme(Corpus *corpus, PyObject *text) {
    const char *data;
    size_t size;
    TRY(utf8_of(text, &data, &size));
    if (corpus->bytes.size + size > LARGEST_TEXT || corpus->lexemes >= NONE - 2)
        return CANNOT;
    size_t at = corpus->bytes.size;
    TRY(buffer_add(&corpus->bytes, data, size));
    RESERVE(corpus->at, corpus->at_room, corpus->lexemes + 2);
    RESERVE(corpus->kind, corpus->kind_room, corpus->lexemes + 1);
    uint32_t hash = hash_of(data, size), kind = texts_find(&corpus->kinds, corpus->bytes.data, data, size, hash);
    if (kind == NONE) {
        kind = (uint32_t)corpus->kinds.count;
        TRY(texts_add(&corpus->kinds, at, size, hash));
    }
    corpus->kind[corpus->lexemes] = kind;
    corpus->at[corpus->lexemes++] = (uint32_t)at;
    corpus->at[corpus->lexemes] = (uint32_t)corpus->bytes.size;
    return DONE;
}

/* Add the passages of a list of tuples. */
static Result add_passages(Corpus *corpus, PyObject *passages, size_t least) {
    Py_ssize_t count = PyList_Size(passages);
    if ((size_t)count > corpus->room - corpus->count)
        return CANNOT;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *passage = PyList_GetItem(passages, i);
        if (!PyTuple_Check(passage) || (size_t)PyTuple_Size(passage) < least)
            return CANNOT;
        corpus->first[corpus->count++] = (uint32_t)corpus->lexemes;
        for (Py_ssize_t j = 0; j < PyTuple_Size(passage); j++)
            TRY(add_lexeme(corpus, PyTuple_GetItem(passage, j)));
        corpus->first[corpus->count] = (uint32_t)corpus->lexemes;
    }
    return DONE;
}

static Result corpus_reserve(Corpus *corpus, size_t passages) {
    if (passages >= NONE / 2)
        return CANNOT;
    corpus->room = passages;
    corpus->first = calloc(passages + 1, sizeof(uint32_t));
    corpus->weight = calloc(passages + 1, sizeof(int64_t));
    corpus->group = calloc(passages + 1, sizeof(uint32_t));
    corpus->at = calloc(2, sizeof(uint32_t));
    corpus->at_room = 2;
    TRY(buffer_reserve(&corpus->bytes, 1)); /* so that there are bytes to point at */
    return corpus->first && corpus->weight && corpus->group && corpus->at ? DONE : NO_MEMORY;
}

/* An int in a list. It is one itself, so that no code of anyone runs. */
static Result small_int(PyObject *list, size_t i, int64_t least, int64_t most, int64_t *value) {
    PyObject *item = PyList_GetItem(list, (Py_ssize_t)i);
    if (item == NULL || !PyLong_Check(item)) {
        PyErr_Clear();
        return CANNOT;
    }
    long long found = PyLong_AsLongLong(item);
    if (found == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return CANNOT;
    }
    *value = found;
    return found < least || found > most ? CANNOT : DONE;
}

static Result add_weights(Corpus *corpus, PyObject *weights, PyObject *groups) {
    int64_t sum = 0, value;
    if (!PyList_Check(weights) || (size_t)PyList_Size(weights) != corpus->count)
        return CANNOT;
    for (size_t i = 0; i < corpus->count; i++) {
        TRY(small_int(weights, i, 1, LARGEST_WEIGHT, &corpus->weight[i]));
        sum += corpus->weight[i];
        if (sum > LARGEST_WEIGHT)
            return CANNOT;
    }
    if (groups == NULL)
        return DONE;
    if (!PyList_Check(groups) || (size_t)PyList_Size(groups) != corpus->count)
        return CANNOT;
    for (size_t i = 0; i < corpus->count; i++) {
        TRY(small_int(groups, i, 0, (int64_t)corpus->groups - 1, &value));
        corpus->group[i] = (uint32_t)value;
    }
    return DONE;
}

static inline uint32_t find_slice(const Corpus *corpus, const Texts *texts, size_t from, size_t to) {
    const char *data = corpus->bytes.data + corpus->at[from];
    size_t size = corpus->at[to] - corpus->at[from];
    return texts_find(texts, corpus->bytes.data, data, size, hash_of(data, size));
}

static int compare_values(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

/* The sum of the gains outside the quarter of the groups that gain most. `gains` is sorted. */
static int64_t common_gain(int64_t *gains, size_t count, size_t groups) {
    int64_t sum = 0;
    size_t left_out = groups > 1 ? (groups + 2) / 4 : 0;
    qsort(gains, count, sizeof(int64_t), compare_values);
    for (size_t i = 0; i + left_out < count; i++)
        sum += gains[i];
    return sum;
}

/* -------------------------------------------------------------------------------------------------------- n-grams */

/* The frequent n-grams. Those of one lexeme to those of many, a text only once. */
typedef struct {
    Texts texts;
    int64_t *count;
    uint32_t *start, *length; /* the lexemes that it was found as first */
    size_t count_room, start_room, length_room;
} Grams;

static void grams_free(Grams *grams) {
    texts_free(&grams->texts);
    free(grams->count);
    free(grams->start);
    free(grams->length);
}

static Result grams_add(Grams *grams, Entry entry, int64_t count, uint32_t start, uint32_t length) {
    size_t number = grams->texts.count;
    RESERVE(grams->count, grams->count_room, number + 1);
    RESERVE(grams->start, grams->start_room, number + 1);
    RESERVE(grams->length, grams->length_room, number + 1);
    grams->count[number] = count;
    grams->start[number] = start;
    grams->length[number] = length;
    return texts_add(&grams->texts, entry.at, entry.size, entry.hash);
}

typedef struct {
    uint32_t passage, start;
} Place;

/* What one length of n-grams needs. */
typedef struct {
    Place *places; /* where n-grams may begin */
    uint32_t *text; /* place -> the text there */
    size_t count, places_room, text_room;
    Texts texts;
    uint32_t *start; /* text -> the lexeme where it was found first */
    int64_t *sums;   /* text, group -> how often */
    uint8_t *kept;
    size_t start_room, sums_room, kept_room;
} Level;

static void level_free(Level *level) {
    free(level->places);
    free(level->text);
    texts_free(&level->texts);
    free(level->start);
    free(level->sums);
    free(level->kept);
}

static Result count_level(const Corpus *corpus, Level *level, size_t length) {
    size_t groups = corpus->groups;
    const char *base = corpus->bytes.data;
    texts_clear(&level->texts);
    for (size_t i = 0; i < level->count; i++) {
        Place place = level->places[i];
        size_t at = corpus->at[place.start], size = corpus->at[place.start + length] - at;
        uint32_t hash = hash_of(base + at, size), text = texts_find(&level->texts, base, base + at, size, hash);
        if (text == NONE) {
            text = (uint32_t)level->texts.count;
            RESERVE(level->start, level->start_room, (size_t)text + 1);
            RESERVE(level->sums, level->sums_room, ((size_t)text + 1) * groups);
            level->start[text] = place.start;
            memset(level->sums + text * groups, 0, groups * sizeof(int64_t));
            TRY(texts_add(&level->texts, at, size, hash));
        }
        level->text[i] = text;
        level->sums[text * groups + corpus->group[place.passage]] += corpus->weight[place.passage];
    }
    return DONE;
}

static int is_ascii(const char *data, size_t size) {
    unsigned char all = 0;
    for (size_t i = 0; i < size; i++)
        all |= (unsigned char)data[i];
    return all < 0x80;
}

/* Keep the frequent ones of a length, and the places where longer ones may be. */
static Result keep_level(const Corpus *corpus, Level *level, size_t length, int64_t least, Grams *grams) {
    int64_t gains[MOST_GROUPS];
    const char *base = corpus->bytes.data;
    RESERVE(level->kept, level->kept_room, level->texts.count + 1);
    for (size_t text = 0; text < level->texts.count; text++) {
        size_t count = 0;
        for (size_t group = 0; group < corpus->groups; group++)
            if (level->sums[text * corpus->groups + group])
                gains[count++] = level->sums[text * corpus->groups + group];
        int64_t gain = common_gain(gains, count, corpus->groups);
        Entry entry = level->texts.items[text];
        level->kept[text] = gain >= least && is_ascii(base + entry.at, entry.size);
        if (level->kept[text] && texts_find(&grams->texts, base, base + entry.at, entry.size, entry.hash) == NONE)
            TRY(grams_add(grams, entry, gain, level->start[text], (uint32_t)length));
    }
    size_t alive = 0;
    for (size_t i = 0; i < level->count; i++) {
        Place place = level->places[i];
        if (level->kept[level->text[i]] && place.start + length < corpus->first[place.passage + 1] - 1)
            level->places[alive++] = place;
    }
    level->count = alive;
    return DONE;
}

static Result find_frequent(const Corpus *corpus, int64_t least, size_t longest, Grams *grams) {
    Level level = {0};
    Result result = DONE;
    void *places = NULL, *text = NULL;
    result = array_reserve(&places, &level.places_room, corpus->lexemes + 1, sizeof(Place));
    level.places = places;
    if (result == DONE)
        result = array_reserve(&text, &level.text_room, corpus->lexemes + 1, sizeof(uint32_t));
    level.text = text;
    for (size_t i = 0; result == DONE && i < corpus->count; i++)
        for (uint32_t start = corpus->first[i] + 1; start + 1 < corpus->first[i + 1]; start++)
            level.places[level.count++] = (Place){(uint32_t)i, start};
    for (size_t length = 1; result == DONE && length <= longest && level.count; length++) {
        result = count_level(corpus, &level, length);
        if (result == DONE)
            result = keep_level(corpus, &level, length, least, grams);
    }
    level_free(&level);
    return result;
}

/* ------------------------------------------------------------------------------------------------------- segmenter */

/* Cuts passages at tokens: leftmost, then longest. The tokens and what they begin with are texts of `nodes`. */
typedef struct {
    const Corpus *corpus;
    const Texts *nodes;
    Costs *costs;
    PyObject *count;
    uint32_t *root;     /* number of a lexeme's text -> node */
    uint32_t *prefixes; /* node -> how many tokens begin with it */
    uint8_t *is_token;
    Counted *counted;   /* for each passage that is counted at present */
} Segmenter;

static void segmenter_free(Segmenter *segmenter) {
    free(segmenter->root);
    free(segmenter->prefixes);
    free(segmenter->is_token);
    free(segmenter->counted);
}

static Result segmenter_start(Segmenter *segmenter, const Corpus *corpus, const Texts *nodes, Costs *costs, PyObject *count) {
    *segmenter = (Segmenter){.corpus = corpus, .nodes = nodes, .costs = costs, .count = count};
    segmenter->root = calloc(corpus->kinds.count + 1, sizeof(uint32_t));
    segmenter->prefixes = calloc(nodes->count + 1, sizeof(uint32_t));
    segmenter->is_token = calloc(nodes->count + 1, 1);
    segmenter->counted = calloc(AT_ONCE, sizeof(Counted));
    if (!segmenter->root || !segmenter->prefixes || !segmenter->is_token || !segmenter->counted)
        return NO_MEMORY;
    for (size_t kind = 0; kind < corpus->kinds.count; kind++) {
        const Entry *entry = &corpus->kinds.items[kind];
        const char *base = corpus->bytes.data;
        segmenter->root[kind] = texts_find(nodes, base, base + entry->at, entry->size, entry->hash);
    }
    return DONE;
}

/* Add (1) or take back (-1) a token. */
static void change_token(Segmenter *segmenter, size_t start, size_t length, int by) {
    for (size_t n = 1; n <= length; n++) {
        uint32_t node = find_slice(segmenter->corpus, segmenter->nodes, start, start + n);
        if (node == NONE)
            return; /* it is not: what a token begins with is a node */
        segmenter->prefixes[node] += (uint32_t)by;
        if (n == length)
            segmenter->is_token[node] = by > 0;
    }
}

/* Note the texts before, between and after the tokens of a passage, and how many tokens there are. */
static Result cut_passage(Segmenter *segmenter, size_t passage, int64_t *tokens) {
    const Corpus *corpus = segmenter->corpus;
    const char *base = corpus->bytes.data;
    size_t start = corpus->first[passage], i = start + 1, end = corpus->first[passage + 1], last = end - 1;
    while (i < last) {
        size_t best = 0;
        uint32_t node = segmenter->root[corpus->kind[i]];
        for (size_t j = i + 1; node != NONE && segmenter->prefixes[node]; j++) {
            if (segmenter->is_token[node])
                best = j;
            if (j == last)
                break;
            node = find_slice(corpus, segmenter->nodes, i, j + 1);
        }
        if (best) {
            TRY(use_text(segmenter->costs, base + corpus->at[start], corpus->at[i] - corpus->at[start], tokens));
            (*tokens)++;
            start = i = best;
        } else
            i++;
    }
    return use_text(segmenter->costs, base + corpus->at[start], corpus->at[end] - corpus->at[start], tokens);
}

/* What some passages cost: those of some numbers, or with NULL the first `count`. */
static Result cost_passages(Segmenter *segmenter, const uint32_t *passages, size_t count, int64_t *found) {
    for (size_t done = 0; done < count;) {
        size_t some = count - done < AT_ONCE ? count - done : AT_ONCE, from = 0;
        costs_begin(segmenter->costs);
        for (size_t i = 0; i < some; i++) {
            segmenter->counted[i].specials = 0;
            TRY(cut_passage(segmenter, passages ? passages[done + i] : done + i, &segmenter->counted[i].specials));
            segmenter->counted[i].end = segmenter->costs->used_count;
        }
        TRY(costs_load(segmenter->costs, segmenter->count));
        for (size_t i = 0; i < some; i++) {
            int64_t sum = segmenter->counted[i].specials;
            TRY(cost_of_used(segmenter->costs, from, segmenter->counted[i].end, &sum));
            from = segmenter->counted[i].end;
            found[done + i] = sum;
        }
        done += some;
    }
    return DONE;
}

/* -------------------------------------------------------------------------------------------------------- choosing */

typedef struct {
    int64_t gain;
    uint32_t candidate;
    int64_t version; /* of the tokens when the gain was measured; -1: it is only estimated */
} HeapItem;

typedef struct {
    int64_t gain;
    uint32_t gram, rank; /* the rank of its text among those of all candidates */
} Candidate;

typedef struct {
    Corpus corpus;
    Grams grams;
    Segmenter segmenter;
    Candidate *candidates;
    size_t count, room;
    uint32_t *place_start, *places; /* candidate -> the passages in which it occurs */
    int64_t *now, *found;           /* what the passages cost with the tokens so far, and with others */
    uint32_t *chosen, *best;
    size_t chosen_count, best_count;
    int64_t version, least;
    int has_least;
    HeapItem *heap;
    size_t heap_count;
} Chooser;

static void chooser_free(Chooser *chooser) {
    corpus_free(&chooser->corpus);
    grams_free(&chooser->grams);
    segmenter_free(&chooser->segmenter);
    free(chooser->candidates);
    free(chooser->place_start);
    free(chooser->places);
    free(chooser->now);
    free(chooser->found);
    free(chooser->chosen);
    free(chooser->best);
    free(chooser->heap);
}

static int comes_before(const Chooser *chooser, HeapItem one, HeapItem other) {
    if (one.gain != other.gain)
        return one.gain > other.gain;
    return chooser->candidates[one.candidate].rank < chooser->candidates[other.candidate].rank;
}

static void heap_push(Chooser *chooser, HeapItem item) {
    size_t i = chooser->heap_count++;
    for (; i && comes_before(chooser, item, chooser->heap[(i - 1) / 2]); i = (i - 1) / 2)
        chooser->heap[i] = chooser->heap[(i - 1) / 2];
    chooser->heap[i] = item;
}

static HeapItem heap_pop(Chooser *chooser) {
    HeapItem *heap = chooser->heap, top = heap[0], moved = heap[--chooser->heap_count];
    size_t i = 0, count = chooser->heap_count;
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && comes_before(chooser, heap[child + 1], heap[child]))
            child++;
        if (!comes_before(chooser, heap[child], moved))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
    return top;
}

/* To sort n-grams by their texts, with the standard library's qsort, which takes no context. */
typedef struct {
    int64_t gain;
    const char *text;
    uint32_t size, gram;
} Sorted;

static int compare_texts(const void *one, const void *other) {
    const Sorted *a = one, *b = other;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_gains(const void *one, const void *other) {
    const Sorted *a = one, *b = other;
    return a->gain != b->gain ? (a->gain < b->gain) - (a->gain > b->gain) : compare_texts(one, other);
}

/* What the frequent n-grams would save, those that would save something. */
static Result estimate_gains(Chooser *chooser, Sorted *sorted, size_t *count) {
    Costs *costs = chooser->segmenter.costs;
    const Texts *texts = &chooser->grams.texts;
    const char *base = chooser->corpus.bytes.data;
    for (size_t done = 0; done < texts->count;) {
        size_t some = texts->count - done < AT_ONCE ? texts->count - done : AT_ONCE, from = 0;
        Counted *counted = chooser->segmenter.counted;
        costs_begin(costs);
        for (size_t i = 0; i < some; i++) {
            counted[i].specials = 0;
            TRY(use_text(costs, base + texts->items[done + i].at, texts->items[done + i].size, &counted[i].specials));
            counted[i].end = costs->used_count;
        }
        TRY(costs_load(costs, chooser->segmenter.count));
        for (size_t i = 0; i < some; i++) {
            int64_t cost = counted[i].specials;
            TRY(cost_of_used(costs, from, counted[i].end, &cost));
            from = counted[i].end;
            if (cost > 0 && chooser->grams.count[done + i] > INT64_MAX / cost)
                return CANNOT;
            int64_t gain = chooser->grams.count[done + i] * (cost - 1);
            const Entry *entry = &texts->items[done + i];
            if (gain > 0)
                sorted[(*count)++] = (Sorted){gain, base + entry->at, entry->size, (uint32_t)(done + i)};
        }
        done += some;
    }
    return DONE;
}

static Result ask_whether(PyObject *can_be_added, const Sorted *one, int *answer) {
    PyObject *text = PyUnicode_DecodeUTF8(one->text, one->size, NULL);
    if (text == NULL)
        return RAISED;
    PyObject *found = PyObject_CallFunctionObjArgs(can_be_added, text, NULL);
    Py_DECREF(text);
    if (found == NULL)
        return RAISED;
    *answer = PyObject_IsTrue(found);
    Py_DECREF(found);
    return *answer < 0 ? RAISED : DONE;
}

/* Choose the most promising n-grams from some. */
static Result take_candidates(Chooser *chooser, Sorted *sorted, size_t count, size_t most, PyObject *can_be_added) {
    size_t kept = 0;
    int answer = 0;
    if (count)
        qsort(sorted, count, sizeof(Sorted), compare_gains);
    for (size_t i = 0; i < count && kept < most; i++) {
        TRY(ask_whether(can_be_added, &sorted[i], &answer));
        if (answer)
            sorted[kept++] = sorted[i];
    }
    RESERVE(chooser->candidates, chooser->room, kept + 1);
    if (kept)
        qsort(sorted, kept, sizeof(Sorted), compare_texts);
    for (size_t i = 0; i < kept; i++)
        chooser->candidates[i] = (Candidate){sorted[i].gain, sorted[i].gram, (uint32_t)i};
    chooser->count = kept;
    return DONE;
}

static Result find_candidates(Chooser *chooser, size_t most, PyObject *can_be_added) {
    Sorted *sorted = calloc(chooser->grams.texts.count + 1, sizeof(Sorted));
    size_t count = 0;
    if (sorted == NULL)
        return NO_MEMORY;
    Result result = estimate_gains(chooser, sorted, &count);
    if (result == DONE)
        result = take_candidates(chooser, sorted, count, most, can_be_added);
    free(sorted);
    return result;
}

/* Call for each candidate in a passage, once: `seen` has for each candidate the last passage + 1 in which it was. */
static size_t candidates_in(const Chooser *chooser, const uint32_t *candidate_of, size_t longest, size_t passage, uint32_t *seen, uint32_t *into) {
    const Corpus *corpus = &chooser->corpus;
    size_t last = corpus->first[passage + 1] - 1, count = 0;
    for (size_t start = corpus->first[passage] + 1; start < last; start++) {
        uint32_t gram = chooser->segmenter.root[corpus->kind[start]];
        for (size_t end = start + 1; gram != NONE; end++) {
            uint32_t candidate = candidate_of[gram];
            if (candidate != NONE && seen[candidate] != passage + 1) {
                seen[candidate] = (uint32_t)passage + 1;
                into[count++] = candidate;
            }
            if (end == last || end - start == longest)
                break;
            gram = find_slice(corpus, &chooser->grams.texts, start, end + 1);
        }
    }
    return count;
}

/* Note where each candidate occurs. */
static Result fill_places(Chooser *chooser, size_t longest, uint32_t *candidate_of, uint32_t *seen) {
    const Corpus *corpus = &chooser->corpus;
    uint32_t *found = NULL; /* for each passage its candidates, one passage after the other */
    size_t count = 0, room = 0;
    uint32_t *ends = calloc(corpus->count + 1, sizeof(uint32_t));
    Result result = ends == NULL ? NO_MEMORY : DONE;
    for (size_t i = 0; result == DONE && i < corpus->count; i++) {
        void *items = found;
        result = array_reserve(&items, &room, count + chooser->count, sizeof(uint32_t));
        found = items;
        if (result != DONE)
            break;
        count += candidates_in(chooser, candidate_of, longest, i, seen, found + count);
        ends[i] = (uint32_t)count;
        if (count >= NONE)
            result = CANNOT;
    }
    if (result == DONE) {
        chooser->places = calloc(count + 1, sizeof(uint32_t));
        result = chooser->places == NULL ? NO_MEMORY : DONE;
    }
    if (result == DONE) {
        uint32_t *start = chooser->place_start;
        for (size_t k = 0; k < count; k++)
            start[found[k] + 1]++;
        for (size_t candidate = 0; candidate < chooser->count; candidate++)
            start[candidate + 1] += start[candidate];
        memcpy(seen, start, chooser->count * sizeof(uint32_t));
        for (size_t i = 0, k = 0; i < corpus->count; i++)
            for (; k < ends[i]; k++)
                chooser->places[seen[found[k]]++] = (uint32_t)i;
    }
    free(found);
    free(ends);
    return result;
}

static Result find_places(Chooser *chooser, size_t longest) {
    size_t grams = chooser->grams.texts.count;
    uint32_t *candidate_of = calloc(grams + 1, sizeof(uint32_t)), *seen = calloc(chooser->count + 1, sizeof(uint32_t));
    chooser->place_start = calloc(chooser->count + 2, sizeof(uint32_t));
    Result result = candidate_of && seen && chooser->place_start ? DONE : NO_MEMORY;
    if (result == DONE) {
        memset(candidate_of, 0xFF, (grams + 1) * sizeof(uint32_t));
        for (size_t i = 0; i < chooser->count; i++)
            candidate_of[chooser->candidates[i].gram] = (uint32_t)i;
        result = fill_places(chooser, longest, candidate_of, seen);
    }
    free(candidate_of);
    free(seen);
    return result;
}

static void change_candidate(Chooser *chooser, uint32_t candidate, int by) {
    uint32_t gram = chooser->candidates[candidate].gram;
    change_token(&chooser->segmenter, chooser->grams.start[gram], chooser->grams.length[gram], by);
}

/* Count the passages of a candidate, with the tokens that there are, into `found`. */
static Result cost_places(Chooser *chooser, uint32_t candidate, const uint32_t **places, size_t *count) {
    *places = chooser->places + chooser->place_start[candidate];
    *count = chooser->place_start[candidate + 1] - chooser->place_start[candidate];
    return PyErr_CheckSignals() < 0 ? RAISED : cost_passages(&chooser->segmenter, *places, *count, chooser->found);
}

static Result update(Chooser *chooser, uint32_t candidate, int64_t *more) {
    const uint32_t *places;
    size_t count;
    chooser->version++;
    TRY(cost_places(chooser, candidate, &places, &count));
    for (size_t k = 0; k < count; k++) {
        size_t i = places[k];
        *more += chooser->corpus.weight[i] * (chooser->found[k] - chooser->now[i]);
        chooser->now[i] = chooser->found[k];
    }
    return DONE;
}

/* How many tokens more there would be if a token were added (1) or removed (-1), as far as most groups agree. */
static Result change_by(Chooser *chooser, uint32_t candidate, int by, int64_t *change) {
    const uint32_t *places;
    size_t count, groups = chooser->corpus.groups, present = 0;
    int64_t changes[MOST_GROUPS] = {0}, sum = 0;
    uint8_t is_present[MOST_GROUPS] = {0};
    change_candidate(chooser, candidate, by);
    Result result = cost_places(chooser, candidate, &places, &count);
    change_candidate(chooser, candidate, -by);
    TRY(result);
    for (size_t k = 0; k < count; k++) {
        size_t i = places[k], group = chooser->corpus.group[i];
        int64_t one = chooser->corpus.weight[i] * (chooser->found[k] - chooser->now[i]);
        changes[group] += one;
        is_present[group] |= one != 0;
        sum += one;
    }
    for (size_t group = 0; group < groups; group++)
        if (is_present[group])
            changes[present++] = sum < 0 ? -changes[group] : changes[group];
    int64_t size = common_gain(changes, present, groups);
    *change = sum < 0 ? -size : size;
    return DONE;
}

static Result call_progress(PyObject *progress) {
    if (progress == NULL)
        return DONE;
    PyObject *found = PyObject_CallFunctionObjArgs(progress, NULL);
    Py_XDECREF(found);
    return found == NULL ? RAISED : DONE;
}

/* Take the best tokens until there are `budget`. */
static Result fill_budget(Chooser *chooser, size_t budget, PyObject *progress) {
    int64_t ignored = 0;
    while (chooser->heap_count && chooser->chosen_count < budget) {
        HeapItem item = heap_pop(chooser);
        if (item.version == chooser->version) {
            change_candidate(chooser, item.candidate, 1);
            TRY(update(chooser, item.candidate, &ignored));
            chooser->chosen[chooser->chosen_count++] = item.candidate;
            if (!chooser->has_least || item.gain < chooser->least)
                chooser->least = item.gain;
            chooser->has_least = 1;
            TRY(call_progress(progress));
            continue;
        }
        int64_t change;
        TRY(change_by(chooser, item.candidate, 1, &change));
        if (-change > 1)
            heap_push(chooser, (HeapItem){-change, item.candidate, chooser->version});
    }
    return DONE;
}

/* Take back the tokens that later, longer ones have made useless. */
static Result drop_useless(Chooser *chooser) {
    size_t kept = 0;
    int64_t change, ignored = 0;
    for (size_t i = 0; i < chooser->chosen_count; i++) {
        uint32_t candidate = chooser->chosen[i];
        TRY(change_by(chooser, candidate, -1, &change));
        if (change < chooser->least) {
            change_candidate(chooser, candidate, -1);
            TRY(update(chooser, candidate, &ignored));
        } else
            chooser->chosen[kept++] = candidate;
    }
    chooser->chosen_count = kept;
    return DONE;
}

static int64_t total_of(const Chooser *chooser) {
    int64_t sum = 0;
    for (size_t i = 0; i < chooser->corpus.count; i++)
        sum += chooser->corpus.weight[i] * chooser->now[i];
    return sum;
}

static void note_best(Chooser *chooser) {
    memcpy(chooser->best, chooser->chosen, chooser->chosen_count * sizeof(uint32_t));
    chooser->best_count = chooser->chosen_count;
}

static Result choose_tokens(Chooser *chooser, size_t budget, size_t refills, PyObject *progress) {
    TRY(fill_budget(chooser, budget, progress));
    note_best(chooser);
    int64_t least = total_of(chooser);
    for (size_t i = 0; i < refills && chooser->chosen_count >= budget; i++) {
        size_t before = chooser->chosen_count;
        TRY(drop_useless(chooser));
        if (chooser->chosen_count == before)
            break;
        TRY(fill_budget(chooser, budget, NULL));
        int64_t total = total_of(chooser);
        if (total >= least)
            break;
        note_best(chooser);
        least = total;
    }
    return DONE;
}

static PyObject *tuple_of_lexemes(const Corpus *corpus, size_t start, size_t length) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)length);
    for (size_t i = 0; tuple != NULL && i < length; i++) {
        size_t at = corpus->at[start + i], size = corpus->at[start + i + 1] - at;
        PyObject *text = PyUnicode_DecodeUTF8(corpus->bytes.data + at, (Py_ssize_t)size, NULL);
        if (text == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, text) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* Append the lexemes of each token and what the tokens up to it save. The tokens so far are forgotten. */
static Result append_choice(Chooser *chooser, PyObject *lexemes, PyObject *saved) {
    Segmenter *segmenter = &chooser->segmenter;
    int64_t more = 0;
    memset(segmenter->prefixes, 0, chooser->grams.texts.count * sizeof(uint32_t));
    memset(segmenter->is_token, 0, chooser->grams.texts.count);
    TRY(cost_passages(segmenter, NULL, chooser->corpus.count, chooser->now));
    for (size_t i = 0; i < chooser->best_count; i++) {
        uint32_t candidate = chooser->best[i], gram = chooser->candidates[candidate].gram;
        change_candidate(chooser, candidate, 1);
        TRY(update(chooser, candidate, &more));
        TRY(append_long(saved, -more));
        PyObject *tuple = tuple_of_lexemes(&chooser->corpus, chooser->grams.start[gram], chooser->grams.length[gram]);
        if (tuple == NULL)
            return RAISED;
        int failed = PyList_Append(lexemes, tuple);
        Py_DECREF(tuple);
        if (failed)
            return RAISED;
    }
    return DONE;
}

typedef struct {
    PyObject *passages, *weights, *groups, *count, *can_be_added, *progress;
    Py_ssize_t number_of_groups, longest, candidates, budget, refills;
    long long least;
    Costs *costs;
} Choosing;

static Result start_choosing(Chooser *chooser, const Choosing *asked) {
    Corpus *corpus = &chooser->corpus;
    Result result;
    corpus->groups = (size_t)asked->number_of_groups;
    TRY(corpus_reserve(corpus, (size_t)PyList_Size(asked->passages)));
    TRY(add_passages(corpus, asked->passages, 2));
    TRY(add_weights(corpus, asked->weights, asked->groups));
    Py_BEGIN_ALLOW_THREADS
    result = find_frequent(corpus, asked->least, (size_t)asked->longest, &chooser->grams);
    Py_END_ALLOW_THREADS
    TRY(result);
    TRY(segmenter_start(&chooser->segmenter, corpus, &chooser->grams.texts, asked->costs, asked->count));
    TRY(find_candidates(chooser, (size_t)asked->candidates, asked->can_be_added));
    Py_BEGIN_ALLOW_THREADS
    result = find_places(chooser, (size_t)asked->longest);
    Py_END_ALLOW_THREADS
    TRY(result);
    chooser->now = calloc(corpus->count + 1, sizeof(int64_t));
    chooser->found = calloc(corpus->count + 1, sizeof(int64_t));
    chooser->chosen = calloc(chooser->count + 1, sizeof(uint32_t));
    chooser->best = calloc(chooser->count + 1, sizeof(uint32_t));
    chooser->heap = calloc(chooser->count + 1, sizeof(HeapItem));
    if (!chooser->now || !chooser->found || !chooser->chosen || !chooser->best || !chooser->heap)
        return NO_MEMORY;
    TRY(cost_passages(&chooser->segmenter, NULL, corpus->count, chooser->now));
    for (size_t i = 0; i < chooser->count; i++)
        heap_push(chooser, (HeapItem){chooser->candidates[i].gain, (uint32_t)i, -1});
    return DONE;
}

static Result choose_with(Chooser *chooser, const Choosing *asked, PyObject *lexemes, PyObject *saved) {
    TRY(start_choosing(chooser, asked));
    TRY(choose_tokens(chooser, (size_t)asked->budget, (size_t)asked->refills, asked->progress));
    return append_choice(chooser, lexemes, saved);
}

static PyObject *choose(PyObject *module, PyObject *args) {
    (void)module;
    Choosing asked;
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "O!OOnLnnnnOOOO", &PyList_Type, &asked.passages, &asked.weights, &asked.groups, &asked.number_of_groups,
                          &asked.least, &asked.longest, &asked.candidates, &asked.budget, &asked.refills, &capsule, &asked.count,
                          &asked.can_be_added, &asked.progress))
        return NULL;
    if (asked.number_of_groups < 1 || asked.number_of_groups > MOST_GROUPS || asked.least < 1 || asked.longest < 1 ||
        asked.candidates < 0 || asked.budget < 0 || asked.refills < 0)
        return returned(CANNOT, NULL);
    Chooser chooser = {0};
    PyObject *lexemes = PyList_New(0), *saved = PyList_New(0), *made = NULL;
    Result result = lexemes == NULL || saved == NULL ? RAISED : take_costs(capsule, &asked.costs);
    if (result == DONE) {
        result = choose_with(&chooser, &asked, lexemes, saved);
        asked.costs->is_busy = 0;
    }
    chooser_free(&chooser);
    if (result == DONE) {
        made = PyTuple_Pack(2, lexemes, saved);
        result = made == NULL ? RAISED : DONE;
    }
    Py_XDECREF(lexemes);
    Py_XDECREF(saved);
    return finished(result, made);
}

/* ------------------------------------------------------------------------------------------------------ evaluation */

/* The tokens begin as passages without neighbours, so that what they begin with are slices of the corpus. */
static Result add_nodes(const Corpus *corpus, size_t passage, Texts *nodes) {
    const char *base = corpus->bytes.data;
    size_t start = corpus->first[passage];
    for (size_t end = start + 1; end <= corpus->first[passage + 1]; end++) {
        size_t at = corpus->at[start], size = corpus->at[end] - at;
        uint32_t hash = hash_of(base + at, size);
        if (texts_find(nodes, base, base + at, size, hash) == NONE)
            TRY(texts_add(nodes, at, size, hash));
    }
    return DONE;
}

static Result sum_up(Segmenter *segmenter, size_t passages, int64_t *found, PyObject *totals) {
    int64_t sum = 0;
    TRY(cost_passages(segmenter, NULL, passages, found));
    for (size_t i = 0; i < passages; i++)
        sum += segmenter->corpus->weight[i] * found[i];
    return append_long(totals, sum);
}

static Result append_totals(Segmenter *segmenter, size_t passages, PyObject *budgets, int64_t *found, PyObject *totals) {
    const Corpus *corpus = segmenter->corpus;
    size_t tokens = corpus->count - passages, added = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(budgets); i++) {
        int64_t budget;
        TRY(small_int(budgets, (size_t)i, (int64_t)added, (int64_t)tokens, &budget));
        for (; added < (size_t)budget; added++) {
            size_t start = corpus->first[passages + added];
            change_token(segmenter, start, corpus->first[passages + added + 1] - start, 1);
        }
        TRY(sum_up(segmenter, passages, found, totals));
    }
    return DONE;
}

static Result count_budgets(Corpus *corpus, Texts *nodes, Segmenter *segmenter, const Choosing *asked, PyObject *tokens, PyObject *budgets,
                            PyObject *totals) {
    size_t passages = (size_t)PyList_Size(asked->passages);
    TRY(corpus_reserve(corpus, passages + (size_t)PyList_Size(tokens)));
    TRY(add_passages(corpus, asked->passages, 2));
    TRY(add_weights(corpus, asked->weights, NULL));
    TRY(add_passages(corpus, tokens, 1));
    for (size_t i = passages; i < corpus->count; i++)
        TRY(add_nodes(corpus, i, nodes));
    TRY(segmenter_start(segmenter, corpus, nodes, asked->costs, asked->count));
    int64_t *found = calloc(passages + 1, sizeof(int64_t));
    if (found == NULL)
        return NO_MEMORY;
    Result result = append_totals(segmenter, passages, budgets, found, totals);
    free(found);
    return result;
}

static PyObject *segmented_totals(PyObject *module, PyObject *args) {
    (void)module;
    Choosing asked = {0};
    PyObject *tokens, *budgets, *capsule;
    if (!PyArg_ParseTuple(args, "O!OO!O!OO", &PyList_Type, &asked.passages, &asked.weights, &PyList_Type, &tokens, &PyList_Type, &budgets,
                          &capsule, &asked.count))
        return NULL;
    PyObject *totals = PyList_New(0);
    Corpus corpus = {0};
    Texts nodes = {0};
    Segmenter segmenter = {0};
    Result result = totals == NULL ? RAISED : take_costs(capsule, &asked.costs);
    if (result == DONE) {
        result = count_budgets(&corpus, &nodes, &segmenter, &asked, tokens, budgets, totals);
        asked.costs->is_busy = 0;
    }
    segmenter_free(&segmenter);
    texts_free(&nodes);
    corpus_free(&corpus);
    return finished(result, totals);
}

/* ------------------------------------------------------------------------------------------------------- templates */

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
        TRY(small_int(asked->which, i, 0, (int64_t)asked->templates->programs - 1, &program));
        TRY(spell_template(asked->templates, (size_t)program, spellings, terminals, out));
        TRY(use_text(asked->costs, out->data, out->size, &counted[i].specials));
        counted[i].end = asked->costs->used_count;
    }
    TRY(costs_load(asked->costs, asked->count));
    return append_costs(asked->costs, counted, number, list);
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
    Result result = list == NULL ? RAISED : take_costs(costs, &asked.costs);
    if (result == DONE) {
        result = cost_templates(&asked, list);
        asked.costs->is_busy = 0;
    }
    return finished(result, list);
}

PyMethodDef learning_methods[] = {
    {"costs", make_costs, METH_VARARGS, "costs(specials, ends_at_words): remembers what texts cost, for the functions below"},
    {"text_costs", text_costs, METH_VARARGS, "text_costs(costs, texts, count): the tokens of each text"},
    {"choose", choose, METH_VARARGS, "choose(passages, weights, groups, ...): lexemes of the tokens, and what they save"},
    {"segmented_totals", segmented_totals, METH_VARARGS,
     "segmented_totals(passages, weights, tokens, budgets, costs, count): for each budget, the tokens of all passages"},
    {"templates", make_templates, METH_O, "templates(programs): programs that hold numbers of terminals where a dialect puts spellings"},
    {"template_costs", template_costs, METH_VARARGS,
     "template_costs(templates, spellings, which, costs, count): the tokens of some programs in a dialect"},
    {NULL, NULL, 0, NULL},
};
