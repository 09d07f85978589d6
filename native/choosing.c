/* The frequent n-grams of passages, and the best of them. */

#include "learning.h"

#include <stdlib.h>

enum { MOST_GROUPS = 64 };

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
            TRY(costs_use(costs, base + texts->items[done + i].at, texts->items[done + i].size, &counted[i].specials));
            counted[i].end = costs->used_count;
        }
        TRY(costs_load(costs, chooser->segmenter.count));
        for (size_t i = 0; i < some; i++) {
            int64_t cost = counted[i].specials;
            TRY(costs_of_used(costs, from, counted[i].end, &cost));
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
    segmenter_change(&chooser->segmenter, chooser->grams.start[gram], chooser->grams.length[gram], by);
}

/* Count the passages of a candidate, with the tokens that there are, into `found`. */
static Result cost_places(Chooser *chooser, uint32_t candidate, const uint32_t **places, size_t *count) {
    *places = chooser->places + chooser->place_start[candidate];
    *count = chooser->place_start[candidate + 1] - chooser->place_start[candidate];
    return PyErr_CheckSignals() < 0 ? RAISED : segmenter_costs(&chooser->segmenter, *places, *count, chooser->found);
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
    TRY(segmenter_costs(segmenter, NULL, chooser->corpus.count, chooser->now));
    for (size_t i = 0; i < chooser->best_count; i++) {
        uint32_t candidate = chooser->best[i], gram = chooser->candidates[candidate].gram;
        change_candidate(chooser, candidate, 1);
        TRY(update(chooser, candidate, &more));
        TRY(append_number(saved, -more));
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
    TRY(corpus_add(corpus, asked->passages, 2));
    TRY(corpus_weigh(corpus, asked->weights, asked->groups));
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
    TRY(segmenter_costs(&chooser->segmenter, NULL, corpus->count, chooser->now));
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
    Result result = lexemes == NULL || saved == NULL ? RAISED : costs_take(capsule, &asked.costs);
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

PyMethodDef choosing_methods[] = {
    {"choose", choose, METH_VARARGS, "choose(passages, weights, groups, ...): lexemes of the tokens, and what they save"},
    {NULL, NULL, 0, NULL},
};
