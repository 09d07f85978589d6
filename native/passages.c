/* Passages, how tokens cut them, and what they cost with more and more tokens. */

#include "learning.h"

#include <stdlib.h>

/* -------------------------------------------------------------------------------------------------------- passages */

void corpus_free(Corpus *corpus) {
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
Result corpus_add(Corpus *corpus, PyObject *passages, size_t least) {
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

Result corpus_reserve(Corpus *corpus, size_t passages) {
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
Result number_at(PyObject *list, size_t i, int64_t least, int64_t most, int64_t *value) {
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

Result corpus_weigh(Corpus *corpus, PyObject *weights, PyObject *groups) {
    int64_t sum = 0, value;
    if (!PyList_Check(weights) || (size_t)PyList_Size(weights) != corpus->count)
        return CANNOT;
    for (size_t i = 0; i < corpus->count; i++) {
        TRY(number_at(weights, i, 1, LARGEST_WEIGHT, &corpus->weight[i]));
        sum += corpus->weight[i];
        if (sum > LARGEST_WEIGHT)
            return CANNOT;
    }
    if (groups == NULL)
        return DONE;
    if (!PyList_Check(groups) || (size_t)PyList_Size(groups) != corpus->count)
        return CANNOT;
    for (size_t i = 0; i < corpus->count; i++) {
        TRY(number_at(groups, i, 0, (int64_t)corpus->groups - 1, &value));
        corpus->group[i] = (uint32_t)value;
    }
    return DONE;
}

/* ------------------------------------------------------------------------------------------------------- segmenter */

void segmenter_free(Segmenter *segmenter) {
    free(segmenter->root);
    free(segmenter->prefixes);
    free(segmenter->is_token);
    free(segmenter->counted);
}

Result segmenter_start(Segmenter *segmenter, const Corpus *corpus, const Texts *nodes, Costs *costs, PyObject *count) {
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
void segmenter_change(Segmenter *segmenter, size_t start, size_t length, int by) {
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
            TRY(costs_use(segmenter->costs, base + corpus->at[start], corpus->at[i] - corpus->at[start], tokens));
            (*tokens)++;
            start = i = best;
        } else
            i++;
    }
    return costs_use(segmenter->costs, base + corpus->at[start], corpus->at[end] - corpus->at[start], tokens);
}

/* What some passages cost: those of some numbers, or with NULL the first `count`. */
Result segmenter_costs(Segmenter *segmenter, const uint32_t *passages, size_t count, int64_t *found) {
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
            TRY(costs_of_used(segmenter->costs, from, segmenter->counted[i].end, &sum));
            from = segmenter->counted[i].end;
            found[done + i] = sum;
        }
        done += some;
    }
    return DONE;
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
    TRY(segmenter_costs(segmenter, NULL, passages, found));
    for (size_t i = 0; i < passages; i++)
        sum += segmenter->corpus->weight[i] * found[i];
    return append_number(totals, sum);
}

static Result append_totals(Segmenter *segmenter, size_t passages, PyObject *budgets, int64_t *found, PyObject *totals) {
    const Corpus *corpus = segmenter->corpus;
    size_t tokens = corpus->count - passages, added = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(budgets); i++) {
        int64_t budget;
        TRY(number_at(budgets, (size_t)i, (int64_t)added, (int64_t)tokens, &budget));
        for (; added < (size_t)budget; added++) {
            size_t start = corpus->first[passages + added];
            segmenter_change(segmenter, start, corpus->first[passages + added + 1] - start, 1);
        }
        TRY(sum_up(segmenter, passages, found, totals));
    }
    return DONE;
}

typedef struct {
    PyObject *passages, *weights, *tokens, *budgets, *count;
    Costs *costs;
} Budgets;

static Result count_budgets(Corpus *corpus, Texts *nodes, Segmenter *segmenter, const Budgets *asked, PyObject *totals) {
    size_t passages = (size_t)PyList_Size(asked->passages);
    TRY(corpus_reserve(corpus, passages + (size_t)PyList_Size(asked->tokens)));
    TRY(corpus_add(corpus, asked->passages, 2));
    TRY(corpus_weigh(corpus, asked->weights, NULL));
    TRY(corpus_add(corpus, asked->tokens, 1));
    for (size_t i = passages; i < corpus->count; i++)
        TRY(add_nodes(corpus, i, nodes));
    TRY(segmenter_start(segmenter, corpus, nodes, asked->costs, asked->count));
    int64_t *found = calloc(passages + 1, sizeof(int64_t));
    if (found == NULL)
        return NO_MEMORY;
    Result result = append_totals(segmenter, passages, asked->budgets, found, totals);
    free(found);
    return result;
}

static PyObject *segmented_totals(PyObject *module, PyObject *args) {
    (void)module;
    Budgets asked;
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "O!OO!O!OO", &PyList_Type, &asked.passages, &asked.weights, &PyList_Type, &asked.tokens, &PyList_Type,
                          &asked.budgets, &capsule, &asked.count))
        return NULL;
    PyObject *totals = PyList_New(0);
    Corpus corpus = {0};
    Texts nodes = {0};
    Segmenter segmenter = {0};
    Result result = totals == NULL ? RAISED : costs_take(capsule, &asked.costs);
    if (result == DONE) {
        result = count_budgets(&corpus, &nodes, &segmenter, &asked, totals);
        asked.costs->is_busy = 0;
    }
    segmenter_free(&segmenter);
    texts_free(&nodes);
    corpus_free(&corpus);
    return finished(result, totals);
}

PyMethodDef passage_methods[] = {
    {"segmented_totals", segmented_totals, METH_VARARGS,
     "segmented_totals(passages, weights, tokens, budgets, costs, count): for each budget, the tokens of all passages"},
    {NULL, NULL, 0, NULL},
};
