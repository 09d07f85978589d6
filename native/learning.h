/* Learning tokens: what tokenizer_ext.learning.ngrams, .choosing and .segmenter do, and tokenizer_ext.costs and
   tokenizer_ext.fitting.templates for what is counted again and again.

   Texts are compared as bytes: lexemes that join to the same text are the same n-gram, however they are cut. A tokenizer is
   asked in Python, for many new texts at a time. */

#ifndef SIMPY_LEARNING_H
#define SIMPY_LEARNING_H

#include "module.h"

#define NONE UINT32_MAX
#define RAISED ((Result)3) /* Python has an error */
/* So that every product of a weight and a cost, and every sum of these, fits 64 bits. */
#define LARGEST_WEIGHT ((int64_t)1 << 32)
#define LARGEST_COST ((int64_t)1 << 29)
enum { AT_ONCE = 20000 }; /* texts that a tokenizer is asked for at a time */

/* More items in an array that grows, whatever the type of its items. */
#define RESERVE(items, room, count)                                             \
    do {                                                                        \
        void *reserved_ = (items);                                              \
        Result result_ = array_reserve(&reserved_, &(room), (count), sizeof(*(items))); \
        (items) = reserved_;                                                    \
        TRY(result_);                                                           \
    } while (0)

PyObject *finished(Result result, PyObject *made); /* what a function returns, with RAISED beside the results of `returned` */
Result append_number(PyObject *list, long long value);
/* An int in a list. It is one itself, so that no code of anyone runs. */
Result number_at(PyObject *list, size_t i, int64_t least, int64_t most, int64_t *value);

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

static inline uint32_t hash_of(const char *data, size_t size) {
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

static inline uint32_t texts_find(const Texts *texts, const char *base, const char *data, size_t size, uint32_t hash) {
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

void texts_free(Texts *texts);
void texts_clear(Texts *texts);
Result texts_add(Texts *texts, size_t at, size_t size, uint32_t hash); /* one that is not there */

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

/* How each of some texts has been used, until its cost is summed up. */
typedef struct {
    size_t end;
    int64_t specials;
} Counted;

/* Take the costs of a capsule into use; the caller clears `is_busy`. CANNOT: they are in use. */
Result costs_take(PyObject *capsule, Costs **costs);
void costs_begin(Costs *costs); /* before texts are counted */
/* Note the pieces of a text; how many special tokens it has is added to `specials`. */
Result costs_use(Costs *costs, const char *text, size_t size, int64_t *specials);
Result costs_load(Costs *costs, PyObject *count); /* ask the tokenizer for the pieces whose costs are not known */
/* The cost of some of the pieces that have been used, added to a sum. */
Result costs_of_used(const Costs *costs, size_t from, size_t to, int64_t *sum);
Result costs_append(const Costs *costs, const Counted *counted, size_t count, PyObject *list);

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

static inline uint32_t find_slice(const Corpus *corpus, const Texts *texts, size_t from, size_t to) {
    const char *data = corpus->bytes.data + corpus->at[from];
    size_t size = corpus->at[to] - corpus->at[from];
    return texts_find(texts, corpus->bytes.data, data, size, hash_of(data, size));
}

Result corpus_reserve(Corpus *corpus, size_t passages);
void corpus_free(Corpus *corpus);
Result corpus_add(Corpus *corpus, PyObject *passages, size_t least); /* the passages of a list of tuples */
Result corpus_weigh(Corpus *corpus, PyObject *weights, PyObject *groups);

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

Result segmenter_start(Segmenter *segmenter, const Corpus *corpus, const Texts *nodes, Costs *costs, PyObject *count);
void segmenter_free(Segmenter *segmenter);
void segmenter_change(Segmenter *segmenter, size_t start, size_t length, int by); /* add (1) or take back (-1) a token */
/* What some passages cost: those of some numbers, or with NULL the first `count`. */
Result segmenter_costs(Segmenter *segmenter, const uint32_t *passages, size_t count, int64_t *found);

#endif
