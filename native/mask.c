/* The tries of a vocabulary: what its ids ask of the parser in each state of a lexer. What groups_of, Tables and Tries of
   tokenizer_ext.constrain do, on arrays.

   Symbols are numbers here, one for all that no pattern tells apart. Ids stand in a *forest*, a tree over their symbols in
   preorder, so that the ids below a node are a run. A walk takes a lexer state through a forest and notes in a *growing* tree of
   edges where the ids end. Sets and tries that are equal have the same number; number 0 is the empty one.
   What the lexer does in its states is asked of Python: a walk that lacks something says what. */

#include "module.h"

#include <stdlib.h>

#define FEW 128 /* ids from which on a set is kept as bits */
#define NONE 0xFFFFFFFFu
#define ASKED 0xFFFFFFFEu /* a step that is not known, and that Python has been asked for */
#define MOST_SYMBOLS 256

#define ROOM_FOR(array, room, count)                                          \
    do {                                                                      \
        void *items_ = (array);                                               \
        TRY(array_reserve(&items_, &(room), (count), sizeof(*(array))));      \
        (array) = items_;                                                     \
    } while (0)

/* ------------------------------------------------------------------------------------------------------------ data */

typedef struct {
    uint32_t end;              /* the node after those below it */
    uint32_t start, own, size; /* its ids: those that end here come first */
    uint8_t symbol, kind;
} Node;

typedef struct {
    Node *nodes;
    uint64_t *below; /* [node * words]: the symbols of the nodes below */
    uint32_t *ids;
    size_t count, room, below_room;
    Node empty[256];     /* kind -> its ids without symbols, which end a character that has begun */
    uint8_t atomic[256]; /* kind -> whether its ids must not begin inside a literal */
} Forest;

typedef struct {
    uint32_t begun, resolved; /* lists */
    uint16_t mode;
    uint8_t known, flags;
} LexerState;

enum { IS_START = 1, IN_LITERAL = 2, IN_CODE = 4, BEGINS_LINE = 8 };

typedef struct {
    uint32_t at, count;
} Span;

typedef struct {
    uint32_t to, path, size;
} Branch;

typedef struct {
    uint32_t key, followers;
} Edge;

/* A set of ids: sorted, or from FEW on as bits. */
typedef struct {
    uint32_t count, hash;
    size_t at;
} Set;

typedef struct {
    uint32_t set, count, hash;
    size_t at; /* pairs of an edge and a trie */
} Trie;

/* What is known by the hash of its value. */
typedef struct {
    uint32_t *slots; /* number + 1 */
    size_t room, count;
} Index;

/* A place in a growing tree; lists are linked. */
typedef struct {
    uint32_t edge, parent;
    uint32_t child, sibling; /* the first place below; the next one beside it */
    uint32_t left;           /* the last of the ids that end here */
    uint32_t sets, tries;    /* what it holds */
    uint32_t made;
} Place;

typedef struct {
    uint32_t place, state, next;
    uint32_t runs;
    uint8_t kind, is_dead;
} Left;

typedef struct {
    uint32_t at, size, next;
} Run;

typedef struct {
    uint32_t place, state, node;
} Todo;

typedef struct {
    uint32_t target, set, made;
} Part;

typedef struct {
    uint32_t at, size, set;
} Known;

typedef struct {
    size_t symbols, words, set_words, key_words;
    uint32_t size; /* one more than the largest id */
    int is_busy;
    Forest *forests;
    size_t forest_count, forest_room;
    uint32_t first_set[MOST_SYMBOLS]; /* symbol -> the ids of forest 0 that begin with it; NONE before they are known */
    int has_firsts;
    uint8_t is_blank[MOST_SYMBOLS], is_no_code[MOST_SYMBOLS]; /* at the beginning of a line */
    /* the lexer */
    LexerState *states;
    uint32_t *steps;
    uint64_t *relevant, *stays;
    size_t state_count, state_room, step_room, relevant_room, stays_room;
    Span *lists;
    size_t list_count, list_room;
    Branch *branches;
    size_t branch_count, branch_room;
    uint32_t *paths;
    size_t path_count, path_room;
    Edge *edges;
    size_t edge_count, edge_room;
    uint64_t *followers;
    size_t follower_count, follower_room;
    /* sets and tries */
    Set *sets;
    size_t set_count, set_room;
    uint32_t *few;
    size_t few_count, few_room;
    uint64_t *bits;
    size_t bits_count, bits_room;
    Index set_index;
    Trie *tries;
    size_t trie_count, trie_room;
    uint32_t *pairs;
    size_t pair_count, pair_room;
    Index trie_index;
    uint32_t *every; /* trie -> all ids in it */
    size_t every_room, every_count;
    uint32_t *restricted, *stamps;
    size_t restricted_room, stamp_room, stamped;
    uint32_t stamp;
    uint32_t *state_tries; /* lexer state -> trie */
    size_t state_trie_room;
    uint8_t *is_open; /* lexer state -> whether its trie is being made */
    size_t open_room;
    Part *parts;
    size_t part_count, part_room;
    Index part_index;
    Known *known; /* sets of long runs of forest 0 */
    size_t known_count, known_room;
    Index known_index;
    /* for one walk */
    Place *places;
    size_t place_count, place_room;
    Index place_index;
    Left *lefts;
    size_t left_count, left_room;
    Index left_index;
    Run *runs;
    size_t run_count, run_room;
    Todo *todo;
    size_t todo_count, todo_room;
    uint32_t *missing; /* pairs of a state and a symbol, or NONE for all that is said of a state */
    size_t missing_count, missing_room;
    uint32_t *scratch;
    size_t scratch_count, scratch_room;
    uint64_t *scratch_bits;
    uint32_t *stack;
    size_t stack_count, stack_room;
} Walker;

static void walker_free(Walker *walker) {
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
    free(walker);
}

/* --------------------------------------------------------------------------------------------------------- indexes */

static uint32_t mixed(uint32_t hash, uint32_t value) {
    hash = (hash ^ value) * 0x9E3779B1u;
    return hash ^ (hash >> 15);
}

/* Room for one more; true in `is_grown` if all must be put in again. */
static Result index_reserve(Index *index, int *is_grown) {
    *is_grown = 0;
    if (index->count * 2 < index->room)
        return DONE;
    size_t room = index->room ? index->room * 2 : 256;
    uint32_t *slots = calloc(room, sizeof(uint32_t));
    if (slots == NULL)
        return NO_MEMORY;
    free(index->slots);
    index->slots = slots;
    index->room = room;
    *is_grown = 1;
    return DONE;
}

static void index_put(Index *index, uint32_t hash, uint32_t number) {
    size_t at = hash & (index->room - 1);
    while (index->slots[at])
        at = (at + 1) & (index->room - 1);
    index->slots[at] = number + 1;
}

static void index_clear(Index *index) {
    if (index->count)
        memset(index->slots, 0, index->room * sizeof(uint32_t));
    index->count = 0;
}

/* Look for what `is_equal` takes: `number_` becomes its number, or NONE. */
#define INDEX_FIND(index, hash, found, is_equal)                                                         \
    do {                                                                                                 \
        (found) = NONE;                                                                                  \
        if ((index).room)                                                                                \
            for (size_t at_ = (hash) & ((index).room - 1); (index).slots[at_]; at_ = (at_ + 1) & ((index).room - 1)) { \
                uint32_t number_ = (index).slots[at_] - 1;                                               \
                if (is_equal) {                                                                          \
                    (found) = number_;                                                                   \
                    break;                                                                               \
                }                                                                                        \
            }                                                                                            \
    } while (0)

/* Put in number `count`, where the hash of number `i` is `hash_of_i`. */
#define INDEX_ADD(index, number, hash_of_i)                      \
    do {                                                         \
        int is_grown_;                                           \
        TRY(index_reserve(&(index), &is_grown_));                \
        for (uint32_t i = is_grown_ ? 0 : (number); i <= (number); i++) \
            index_put(&(index), (hash_of_i), i);                 \
        (index).count++;                                         \
    } while (0)

/* ------------------------------------------------------------------------------------------------------------ sets */

static int bits_have(const uint64_t *bits, uint32_t id) { return (int)(bits[id >> 6] >> (id & 63) & 1); }

static uint32_t bit_count(uint64_t word) {
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (uint32_t)(word * 0x0101010101010101u >> 56);
}

static const uint64_t *set_bits(const Walker *walker, const Set *set) { return walker->bits + set->at; }

static int set_has(const Walker *walker, const Set *set, uint32_t id) {
    if (set->count >= FEW)
        return bits_have(set_bits(walker, set), id);
    const uint32_t *few = walker->few + set->at;
    for (uint32_t i = 0; i < set->count; i++)
        if (few[i] >= id)
            return few[i] == id;
    return 0;
}

static int compare_ids(const void *left, const void *right) {
    uint32_t one = *(const uint32_t *)left, other = *(const uint32_t *)right;
    return (one > other) - (one < other);
}

/* The set of sorted ids. */
static Result set_of_few(Walker *walker, const uint32_t *ids, uint32_t count, uint32_t *made) {
    uint32_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = mixed(hash, ids[i]);
    INDEX_FIND(walker->set_index, hash, *made,
               walker->sets[number_].hash == hash && walker->sets[number_].count == count &&
                   memcmp(walker->few + walker->sets[number_].at, ids, count * sizeof(uint32_t)) == 0);
    if (*made != NONE)
        return DONE;
    ROOM_FOR(walker->sets, walker->set_room, walker->set_count + 1);
    ROOM_FOR(walker->few, walker->few_room, walker->few_count + count);
    memcpy(walker->few + walker->few_count, ids, count * sizeof(uint32_t));
    *made = (uint32_t)walker->set_count;
    walker->sets[walker->set_count++] = (Set){count, hash, walker->few_count};
    walker->few_count += count;
    INDEX_ADD(walker->set_index, *made, walker->sets[i].hash);
    return DONE;
}

/* The set of the bits in `scratch_bits`. */
static Result set_of_scratch_bits(Walker *walker, uint32_t *made) {
    uint64_t *bits = walker->scratch_bits;
    uint32_t count = 0, hash = FEW;
    for (size_t i = 0; i < walker->set_words; i++)
        count += bit_count(bits[i]);
    if (count < FEW) {
        uint32_t ids[FEW], at = 0;
        for (size_t i = 0; i < walker->set_words; i++)
            for (uint64_t word = bits[i]; word; word &= word - 1)
                ids[at++] = (uint32_t)(i * 64) + bit_count((word & (~word + 1)) - 1);
        return set_of_few(walker, ids, count, made);
    }
    for (size_t i = 0; i < walker->set_words; i++)
        if (bits[i])
            hash = mixed(mixed(mixed(hash, (uint32_t)i), (uint32_t)bits[i]), (uint32_t)(bits[i] >> 32));
    INDEX_FIND(walker->set_index, hash, *made,
               walker->sets[number_].hash == hash && walker->sets[number_].count == count &&
                   memcmp(set_bits(walker, &walker->sets[number_]), bits, walker->set_words * sizeof(uint64_t)) == 0);
    if (*made != NONE)
        return DONE;
    ROOM_FOR(walker->sets, walker->set_room, walker->set_count + 1);
    ROOM_FOR(walker->bits, walker->bits_room, walker->bits_count + walker->set_words);
    memcpy(walker->bits + walker->bits_count, bits, walker->set_words * sizeof(uint64_t));
    *made = (uint32_t)walker->set_count;
    walker->sets[walker->set_count++] = (Set){count, hash, walker->bits_count};
    walker->bits_count += walker->set_words;
    INDEX_ADD(walker->set_index, *made, walker->sets[i].hash);
    return DONE;
}

static void scratch_clear(Walker *walker) { memset(walker->scratch_bits, 0, walker->set_words * sizeof(uint64_t)); }

static void scratch_add(Walker *walker, const uint32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++)
        walker->scratch_bits[ids[i] >> 6] |= (uint64_t)1 << (ids[i] & 63);
}

static void scratch_add_set(Walker *walker, const Set *set) {
    if (set->count < FEW)
        scratch_add(walker, walker->few + set->at, set->count);
    else {
        const uint64_t *bits = set_bits(walker, set);
        for (size_t i = 0; i < walker->set_words; i++)
            walker->scratch_bits[i] |= bits[i];
    }
}

/* The set of the ids in `scratch`, in any order. */
static Result set_of_scratch(Walker *walker, uint32_t *made) {
    uint32_t *ids = walker->scratch;
    size_t count = walker->scratch_count, kept = 0;
    if (count > 1)
        qsort(ids, count, sizeof(uint32_t), compare_ids);
    for (size_t i = 0; i < count; i++)
        if (!kept || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    if (kept < FEW)
        return set_of_few(walker, ids, (uint32_t)kept, made);
    scratch_clear(walker);
    scratch_add(walker, ids, kept);
    return set_of_scratch_bits(walker, made);
}

static Result scratch_append(Walker *walker, const uint32_t *ids, size_t count) {
    ROOM_FOR(walker->scratch, walker->scratch_room, walker->scratch_count + count);
    if (count)
        memcpy(walker->scratch + walker->scratch_count, ids, count * sizeof(uint32_t));
    walker->scratch_count += count;
    return DONE;
}

/* The set of a long run of forest 0; many states leave the same ones. */
static Result set_of_long_run(Walker *walker, const Run *run, uint32_t *made) {
    uint32_t known, hash = mixed(mixed(5, run->at), run->size), at = run->at, size = run->size;
    INDEX_FIND(walker->known_index, hash, known, walker->known[number_].at == at && walker->known[number_].size == size);
    if (known == NONE) {
        scratch_clear(walker);
        scratch_add(walker, walker->forests[0].ids + at, size);
        TRY(set_of_scratch_bits(walker, made));
        ROOM_FOR(walker->known, walker->known_room, walker->known_count + 1);
        known = (uint32_t)walker->known_count++;
        walker->known[known] = (Known){at, size, *made};
        INDEX_ADD(walker->known_index, known, mixed(mixed(5, walker->known[i].at), walker->known[i].size));
    }
    *made = walker->known[known].set;
    return DONE;
}

static int is_long(const Walker *walker, const Forest *forest, uint32_t run) {
    return walker->runs[run].size >= 4 * FEW && forest == walker->forests;
}

/* The ids of linked runs of a forest. */
static Result set_of_runs(Walker *walker, const Forest *forest, uint32_t first, uint32_t *made) {
    size_t total = 0;
    uint32_t set;
    for (uint32_t run = first; run != NONE; run = walker->runs[run].next)
        if (is_long(walker, forest, run)) {
            TRY(set_of_long_run(walker, &walker->runs[run], made));
            if (run == first && walker->runs[run].next == NONE)
                return DONE;
        }
    for (uint32_t run = first; run != NONE; run = walker->runs[run].next)
        total += walker->runs[run].size;
    int is_many = total >= 4 * FEW;
    if (is_many)
        scratch_clear(walker);
    walker->scratch_count = 0;
    for (uint32_t run = first; run != NONE; run = walker->runs[run].next) {
        const uint32_t *ids = forest->ids + walker->runs[run].at;
        if (is_long(walker, forest, run)) {
            TRY(set_of_long_run(walker, &walker->runs[run], &set));
            scratch_add_set(walker, &walker->sets[set]);
        } else if (is_many)
            scratch_add(walker, ids, walker->runs[run].size);
        else
            TRY(scratch_append(walker, ids, walker->runs[run].size));
    }
    return is_many ? set_of_scratch_bits(walker, made) : set_of_scratch(walker, made);
}

/* The ids of linked sets. */
static Result set_of_sets(Walker *walker, uint32_t first, uint32_t *made) {
    *made = first == NONE ? 0 : walker->runs[first].at;
    int is_one = 1;
    size_t total = 0;
    for (uint32_t run = first; run != NONE; run = walker->runs[run].next) {
        is_one = is_one && walker->runs[run].at == *made;
        total += walker->sets[walker->runs[run].at].count;
    }
    if (is_one)
        return DONE;
    int is_many = total >= 4 * FEW;
    if (is_many)
        scratch_clear(walker);
    walker->scratch_count = 0;
    for (uint32_t run = first; run != NONE; run = walker->runs[run].next) {
        const Set *set = &walker->sets[walker->runs[run].at];
        if (is_many)
            scratch_add_set(walker, set);
        else if (set->count < FEW)
            TRY(scratch_append(walker, walker->few + set->at, set->count));
        else {
            const uint64_t *bits = set_bits(walker, set);
            for (size_t i = 0; i < walker->set_words; i++)
                for (uint64_t word = bits[i]; word; word &= word - 1) {
                    uint32_t id = (uint32_t)(i * 64) + bit_count((word & (~word + 1)) - 1);
                    TRY(scratch_append(walker, &id, 1));
                }
        }
    }
    return is_many ? set_of_scratch_bits(walker, made) : set_of_scratch(walker, made);
}

static Result set_common(Walker *walker, uint32_t one, uint32_t other, uint32_t *made) {
    if (walker->sets[one].count > walker->sets[other].count) {
        uint32_t kept = one;
        one = other;
        other = kept;
    }
    const Set *less = &walker->sets[one], *more = &walker->sets[other];
    if (less->count < FEW) {
        walker->scratch_count = 0;
        for (uint32_t i = 0; i < less->count; i++) {
            uint32_t id = walker->few[less->at + i];
            if (set_has(walker, more, id))
                TRY(scratch_append(walker, &id, 1));
        }
        return set_of_few(walker, walker->scratch, (uint32_t)walker->scratch_count, made);
    }
    const uint64_t *left = set_bits(walker, less), *right = set_bits(walker, more);
    for (size_t i = 0; i < walker->set_words; i++)
        walker->scratch_bits[i] = left[i] & right[i];
    return set_of_scratch_bits(walker, made);
}

/* Whether ids of a set are among others (1), and whether some are not (2). */
static int set_relation(const Walker *walker, uint32_t one, uint32_t other) {
    const Set *set = &walker->sets[one], *others = &walker->sets[other];
    if (one == other)
        return 1;
    int found = 0;
    if (set->count < FEW) {
        for (uint32_t i = 0; i < set->count && found != 3; i++)
            found |= set_has(walker, others, walker->few[set->at + i]) ? 1 : 2;
        return found;
    }
    if (others->count < FEW) {
        for (uint32_t i = 0; i < others->count && found != 3; i++)
            if (bits_have(set_bits(walker, set), walker->few[others->at + i]))
                found = 3;
        return found ? found : 2;
    }
    const uint64_t *left = set_bits(walker, set), *right = set_bits(walker, others);
    for (size_t i = 0; i < walker->set_words && found != 3; i++)
        found |= (left[i] & right[i] ? 1 : 0) | (left[i] & ~right[i] ? 2 : 0);
    return found;
}

/* ----------------------------------------------------------------------------------------------------------- tries */

static uint32_t hash_of_trie(uint32_t set, const uint32_t *pairs, size_t count) {
    uint32_t hash = mixed(set, (uint32_t)count);
    for (size_t i = 0; i < 2 * count; i++)
        hash = mixed(hash, pairs[i]);
    return hash;
}

/* The trie of a set and of pairs that are sorted by their edges. They are none of `walker->pairs`. */
static Result trie_of(Walker *walker, uint32_t set, const uint32_t *pairs, size_t count, uint32_t *made) {
    uint32_t hash = hash_of_trie(set, pairs, count);
    INDEX_FIND(walker->trie_index, hash, *made,
               walker->tries[number_].hash == hash && walker->tries[number_].set == set && walker->tries[number_].count == count &&
                   (count == 0 || memcmp(walker->pairs + walker->tries[number_].at, pairs, 2 * count * sizeof(uint32_t)) == 0));
    if (*made != NONE)
        return DONE;
    ROOM_FOR(walker->tries, walker->trie_room, walker->trie_count + 1);
    ROOM_FOR(walker->pairs, walker->pair_room, walker->pair_count + 2 * count);
    if (count)
        memcpy(walker->pairs + walker->pair_count, pairs, 2 * count * sizeof(uint32_t));
    *made = (uint32_t)walker->trie_count;
    walker->tries[walker->trie_count++] = (Trie){set, (uint32_t)count, hash, walker->pair_count};
    walker->pair_count += 2 * count;
    INDEX_ADD(walker->trie_index, *made, walker->tries[i].hash);
    return DONE;
}

static Result push(Walker *walker, uint32_t number) {
    ROOM_FOR(walker->stack, walker->stack_room, walker->stack_count + 1);
    walker->stack[walker->stack_count++] = number;
    return DONE;
}

static Result add_run(Walker *walker, uint32_t *first, uint32_t at, uint32_t size) {
    ROOM_FOR(walker->runs, walker->run_room, walker->run_count + 1);
    walker->runs[walker->run_count] = (Run){at, size, *first};
    *first = (uint32_t)walker->run_count++;
    return DONE;
}

/* Work out all ids of a trie, and of those in it. */
static Result find_every(Walker *walker, uint32_t root) {
    ROOM_FOR(walker->every, walker->every_room, walker->trie_count);
    while (walker->every_count < walker->trie_count)
        walker->every[walker->every_count++] = NONE;
    size_t bottom = walker->stack_count;
    TRY(push(walker, root));
    while (walker->stack_count > bottom) {
        uint32_t trie = walker->stack[walker->stack_count - 1];
        const Trie *one = &walker->tries[trie];
        size_t before = walker->stack_count;
        for (uint32_t i = 0; walker->every[trie] == NONE && i < one->count; i++) {
            uint32_t below = walker->pairs[one->at + 2 * i + 1];
            if (walker->every[below] == NONE)
                TRY(push(walker, below));
        }
        if (walker->stack_count > before)
            continue;
        walker->stack_count--;
        if (walker->every[trie] != NONE)
            continue;
        size_t kept = walker->run_count;
        uint32_t first = NONE;
        TRY(add_run(walker, &first, one->set, 0));
        for (uint32_t i = 0; i < one->count; i++)
            TRY(add_run(walker, &first, walker->every[walker->pairs[one->at + 2 * i + 1]], 0));
        uint32_t set;
        TRY(set_of_sets(walker, first, &set));
        walker->every[trie] = set;
        walker->run_count = kept;
    }
    return DONE;
}

static uint32_t known_restriction(const Walker *walker, uint32_t trie) {
    return walker->stamps[trie] == walker->stamp ? walker->restricted[trie] : NONE;
}

static void keep_restriction(Walker *walker, uint32_t trie, uint32_t made) {
    walker->stamps[trie] = walker->stamp;
    walker->restricted[trie] = made;
}

/* A trie of those of its ids alone that are in a set. */
static Result restrict_trie(Walker *walker, uint32_t root, uint32_t set, uint32_t *made) {
    TRY(find_every(walker, root));
    ROOM_FOR(walker->restricted, walker->restricted_room, walker->trie_count);
    ROOM_FOR(walker->stamps, walker->stamp_room, walker->trie_count);
    while (walker->stamped < walker->trie_count)
        walker->stamps[walker->stamped++] = 0;
    walker->stamp++;
    size_t bottom = walker->stack_count;
    TRY(push(walker, root));
    while (walker->stack_count > bottom) {
        uint32_t trie = walker->stack[walker->stack_count - 1];
        if (known_restriction(walker, trie) != NONE) {
            walker->stack_count--;
            continue;
        }
        int relation = set_relation(walker, walker->every[trie], set);
        if (relation != 3) {
            keep_restriction(walker, trie, relation == 1 ? trie : 0);
            continue;
        }
        Trie one = walker->tries[trie];
        size_t before = walker->stack_count;
        for (uint32_t i = 0; i < one.count; i++)
            if (known_restriction(walker, walker->pairs[one.at + 2 * i + 1]) == NONE)
                TRY(push(walker, walker->pairs[one.at + 2 * i + 1]));
        if (walker->stack_count > before)
            continue;
        uint32_t common, found;
        TRY(set_common(walker, one.set, set, &common));
        walker->scratch_count = 0;
        for (uint32_t i = 0; i < one.count; i++) {
            uint32_t pair[2] = {walker->pairs[one.at + 2 * i], known_restriction(walker, walker->pairs[one.at + 2 * i + 1])};
            if (pair[1])
                TRY(scratch_append(walker, pair, 2));
        }
        TRY(trie_of(walker, common, walker->scratch, walker->scratch_count / 2, &found));
        keep_restriction(walker, trie, found);
    }
    *made = known_restriction(walker, root);
    return DONE;
}

/* --------------------------------------------------------------------------------------------------------- forests */

typedef struct {
    const uint8_t *text;
    uint32_t size, id;
    uint8_t kind;
} Entry;

static int compare_entries(const void *left, const void *right) {
    const Entry *one = left, *other = right;
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    uint32_t size = one->size < other->size ? one->size : other->size;
    int order = size ? memcmp(one->text, other->text, size) : 0;
    if (order)
        return order;
    if (one->size != other->size)
        return one->size < other->size ? -1 : 1;
    return (one->id > other->id) - (one->id < other->id);
}

/* The nodes of sorted entries. */
static Result plant(const Walker *walker, Forest *forest, const Entry *entries, size_t count, uint32_t *path) {
    size_t depth = 0, words = walker->words;
    for (size_t i = 0; i <= count; i++) {
        const Entry *entry = i < count ? &entries[i] : NULL, *last = i ? &entries[i - 1] : NULL;
        size_t common = 0;
        if (entry != NULL && last != NULL && entry->kind == last->kind)
            while (common < entry->size && common < last->size && entry->text[common] == last->text[common])
                common++;
        while (depth > common) {
            uint32_t number = path[--depth];
            Node *node = &forest->nodes[number];
            node->end = (uint32_t)forest->count;
            node->size = (uint32_t)i - node->start;
            if (depth) {
                uint64_t *above = forest->below + (size_t)path[depth - 1] * words;
                for (size_t j = 0; j < words; j++)
                    above[j] |= forest->below[(size_t)number * words + j];
                above[node->symbol >> 6] |= (uint64_t)1 << (node->symbol & 63);
            }
        }
        if (entry == NULL)
            break;
        forest->ids[i] = entry->id;
        for (; depth < entry->size; depth++) {
            ROOM_FOR(forest->nodes, forest->room, forest->count + 1);
            ROOM_FOR(forest->below, forest->below_room, (forest->count + 1) * words);
            memset(forest->below + forest->count * words, 0, words * sizeof(uint64_t));
            forest->nodes[forest->count] = (Node){0, (uint32_t)i, 0, 0, entry->text[depth], entry->kind};
            path[depth] = (uint32_t)forest->count++;
        }
        Node *node = &forest->empty[entry->kind];
        if (depth)
            node = &forest->nodes[path[depth - 1]];
        else if (!node->own)
            *node = (Node){0, (uint32_t)i, 0, 0, 0, entry->kind};
        node->own++;
    }
    return DONE;
}

static Result forest_make(const Walker *walker, Forest *forest, Entry *entries, size_t count) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        longest = entries[i].size > longest ? entries[i].size : longest;
    if (count > 1)
        qsort(entries, count, sizeof(Entry), compare_entries);
    forest->ids = malloc((count + 1) * sizeof(uint32_t));
    uint32_t *path = malloc((longest + 1) * sizeof(uint32_t));
    Result result = forest->ids == NULL || path == NULL ? NO_MEMORY : plant(walker, forest, entries, count, path);
    free(path);
    return result;
}

static Result find_firsts(Walker *walker) {
    const Forest *forest = &walker->forests[0];
    if (walker->has_firsts)
        return DONE;
    for (size_t symbol = 0; symbol < walker->symbols; symbol++)
        walker->first_set[symbol] = NONE;
    for (size_t symbol = 0; symbol < walker->symbols; symbol++) {
        uint32_t first = NONE;
        walker->run_count = 0;
        for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end)
            if (forest->nodes[node].symbol == symbol)
                TRY(add_run(walker, &first, forest->nodes[node].start, forest->nodes[node].size));
        if (first != NONE)
            TRY(set_of_runs(walker, forest, first, &walker->first_set[symbol]));
    }
    walker->has_firsts = 1;
    return DONE;
}

/* ----------------------------------------------------------------------------------------------------------- lexer */

static Result reserve_states(Walker *walker, size_t count) {
    size_t had = walker->state_count;
    if (count <= had)
        return DONE;
    if (count > LARGEST_TEXT / MOST_SYMBOLS)
        return CANNOT;
    ROOM_FOR(walker->states, walker->state_room, count);
    ROOM_FOR(walker->steps, walker->step_room, count * walker->symbols);
    ROOM_FOR(walker->relevant, walker->relevant_room, count * walker->words);
    ROOM_FOR(walker->stays, walker->stays_room, count * walker->words);
    ROOM_FOR(walker->state_tries, walker->state_trie_room, count);
    ROOM_FOR(walker->is_open, walker->open_room, count);
    memset(walker->states + had, 0, (count - had) * sizeof(LexerState));
    memset(walker->steps + had * walker->symbols, 0xFF, (count - had) * walker->symbols * sizeof(uint32_t));
    memset(walker->relevant + had * walker->words, 0, (count - had) * walker->words * sizeof(uint64_t));
    memset(walker->stays + had * walker->words, 0, (count - had) * walker->words * sizeof(uint64_t));
    memset(walker->state_tries + had, 0xFF, (count - had) * sizeof(uint32_t));
    memset(walker->is_open + had, 0, count - had);
    walker->state_count = count;
    return DONE;
}

/* Numbers that Python has written. */
typedef struct {
    const uint32_t *at, *end;
} Numbers;

static Result take(Numbers *numbers, uint32_t limit, uint32_t *value) {
    if (numbers->at == numbers->end || *numbers->at >= limit)
        return CANNOT;
    *value = *numbers->at++;
    return DONE;
}

static Result take_path(Walker *walker, Numbers *numbers, uint32_t *path, uint32_t *size) {
    TRY(take(numbers, (uint32_t)LARGEST_TEXT, size));
    if (*size > (size_t)(numbers->end - numbers->at))
        return CANNOT;
    ROOM_FOR(walker->paths, walker->path_room, walker->path_count + *size);
    *path = (uint32_t)walker->path_count;
    for (uint32_t i = 0; i < *size; i++)
        TRY(take(numbers, (uint32_t)walker->edge_count, &walker->paths[walker->path_count++]));
    return walker->path_count < LARGEST_TEXT ? DONE : CANNOT;
}

static Result learn_list(Walker *walker, Numbers *numbers) {
    uint32_t count;
    TRY(take(numbers, (uint32_t)LARGEST_TEXT, &count));
    Span list = {(uint32_t)walker->branch_count, count};
    for (uint32_t i = 0; i < count; i++) {
        Branch branch;
        TRY(take(numbers, (uint32_t)LARGEST_TEXT / MOST_SYMBOLS, &branch.to));
        TRY(reserve_states(walker, (size_t)branch.to + 1));
        TRY(take_path(walker, numbers, &branch.path, &branch.size));
        ROOM_FOR(walker->branches, walker->branch_room, walker->branch_count + 1);
        walker->branches[walker->branch_count++] = branch;
    }
    ROOM_FOR(walker->lists, walker->list_room, walker->list_count + 1);
    walker->lists[walker->list_count++] = list;
    return DONE;
}

static void learn_step(Walker *walker, uint32_t state, uint32_t symbol, uint32_t list) {
    walker->steps[state * walker->symbols + symbol] = list;
    const Span *one = &walker->lists[list];
    const Branch *branch = walker->branches + one->at;
    if (one->count == 1 && branch->to == state && !branch->size)
        walker->stays[state * walker->words + (symbol >> 6)] |= (uint64_t)1 << (symbol & 63);
}

static Result learn_state(Walker *walker, Numbers *numbers) {
    uint32_t state, flags, mode, count;
    TRY(take(numbers, (uint32_t)LARGEST_TEXT / MOST_SYMBOLS, &state));
    TRY(reserve_states(walker, (size_t)state + 1));
    LexerState *one = &walker->states[state];
    TRY(take(numbers, 256, &flags));
    TRY(take(numbers, 65536, &mode));
    one->flags = (uint8_t)flags;
    one->mode = (uint16_t)mode;
    TRY(take(numbers, (uint32_t)walker->list_count, &one->begun));
    TRY(take(numbers, (uint32_t)walker->list_count, &one->resolved));
    TRY(take(numbers, MOST_SYMBOLS + 1, &count));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t symbol;
        TRY(take(numbers, (uint32_t)walker->symbols, &symbol));
        walker->relevant[state * walker->words + (symbol >> 6)] |= (uint64_t)1 << (symbol & 63);
    }
    one->known = 1;
    return DONE;
}

/* Take what Python says of the lexer: follower sets, edges, lists of branches, states, steps; each with their number before. */
static Result learn(Walker *walker, Numbers numbers) {
    uint32_t count, size, key;
    TRY(take(&numbers, (uint32_t)LARGEST_TEXT, &count));
    for (uint32_t i = 0; i < count; i++) {
        ROOM_FOR(walker->followers, walker->follower_room, (walker->follower_count + 1) * walker->key_words);
        uint64_t *keys = walker->followers + walker->follower_count++ * walker->key_words;
        memset(keys, 0, walker->key_words * sizeof(uint64_t));
        TRY(take(&numbers, (uint32_t)LARGEST_TEXT, &size));
        for (uint32_t j = 0; j < size; j++) {
            TRY(take(&numbers, (uint32_t)walker->key_words * 64, &key));
            keys[key >> 6] |= (uint64_t)1 << (key & 63);
        }
    }
    TRY(take(&numbers, (uint32_t)LARGEST_TEXT, &count));
    for (uint32_t i = 0; i < count; i++) {
        Edge edge;
        TRY(take(&numbers, (uint32_t)walker->key_words * 64, &edge.key));
        TRY(take(&numbers, (uint32_t)walker->follower_count, &edge.followers));
        ROOM_FOR(walker->edges, walker->edge_room, walker->edge_count + 1);
        walker->edges[walker->edge_count++] = edge;
    }
    TRY(take(&numbers, (uint32_t)LARGEST_TEXT, &count));
    for (uint32_t i = 0; i < count; i++)
        TRY(learn_list(walker, &numbers));
    TRY(take(&numbers, (uint32_t)LARGEST_TEXT, &count));
    for (uint32_t i = 0; i < count; i++)
        TRY(learn_state(walker, &numbers));
    TRY(take(&numbers, (uint32_t)LARGEST_TEXT, &count));
    for (uint32_t i = 0; i < count; i++) { /* steps: a state, its first symbol, how many, and a list each */
        uint32_t state, symbol, list;
        TRY(take(&numbers, (uint32_t)walker->state_count, &state));
        TRY(take(&numbers, (uint32_t)walker->symbols, &symbol));
        TRY(take(&numbers, (uint32_t)(walker->symbols - symbol) + 1, &size));
        for (uint32_t j = 0; j < size; j++) {
            TRY(take(&numbers, (uint32_t)walker->list_count, &list));
            learn_step(walker, state, symbol + j, list);
        }
    }
    return numbers.at == numbers.end ? DONE : CANNOT;
}

static int follows(const Walker *walker, uint32_t edge, uint32_t next) {
    uint32_t key = walker->edges[next].key;
    return (int)(walker->followers[walker->edges[edge].followers * walker->key_words + (key >> 6)] >> (key & 63) & 1);
}

static Result ask(Walker *walker, uint32_t state, uint32_t symbol) {
    ROOM_FOR(walker->missing, walker->missing_room, walker->missing_count + 2);
    walker->missing[walker->missing_count++] = state;
    walker->missing[walker->missing_count++] = symbol;
    return DONE;
}

/* Whether a state is known; Python is asked if it is not. */
static Result need_state(Walker *walker, uint32_t state, int *is_known) {
    *is_known = walker->states[state].known == 1;
    if (walker->states[state].known == 0) {
        TRY(ask(walker, state, NONE));
        walker->states[state].known = 2;
    }
    return DONE;
}

/* Forget what has been asked for. What Python has not said since is asked for again when it is needed. */
static void forget_missing(Walker *walker) {
    for (size_t i = 0; i < walker->missing_count; i += 2) {
        uint32_t state = walker->missing[i], symbol = walker->missing[i + 1];
        if (symbol == NONE) {
            if (walker->states[state].known == 2)
                walker->states[state].known = 0;
        } else if (walker->steps[state * walker->symbols + symbol] == ASKED)
            walker->steps[state * walker->symbols + symbol] = NONE;
    }
    walker->missing_count = 0;
}

/* Where a symbol leads; NULL if Python has to be asked. */
static Result step(Walker *walker, uint32_t state, uint32_t symbol, const Span **list) {
    uint32_t *found = &walker->steps[state * walker->symbols + symbol];
    *list = NULL;
    if (*found < ASKED)
        *list = &walker->lists[*found];
    else if (*found == NONE) {
        TRY(ask(walker, state, symbol));
        *found = ASKED;
    }
    return DONE;
}

/* ------------------------------------------------------------------------------------------------------------ walk */

static uint32_t hash_of_place(uint32_t parent, uint32_t edge) { return mixed(mixed(7, parent), edge); }
static uint32_t hash_of_left(uint32_t place, uint32_t state, uint32_t kind) { return mixed(mixed(mixed(3, place), state), kind); }

static uint32_t place_below(const Walker *walker, uint32_t parent, uint32_t edge) {
    uint32_t found;
    INDEX_FIND(walker->place_index, hash_of_place(parent, edge), found,
               walker->places[number_].parent == parent && walker->places[number_].edge == edge);
    return found;
}

static Result add_place(Walker *walker, uint32_t parent, uint32_t edge, uint32_t *made) {
    ROOM_FOR(walker->places, walker->place_room, walker->place_count + 1);
    *made = (uint32_t)walker->place_count++;
    walker->places[*made] = (Place){edge, parent, NONE, NONE, NONE, NONE, NONE, NONE};
    if (parent != NONE) {
        walker->places[*made].sibling = walker->places[parent].child;
        walker->places[parent].child = *made;
    }
    INDEX_ADD(walker->place_index, *made, hash_of_place(walker->places[i].parent, walker->places[i].edge));
    return DONE;
}

/* The place after some more tokens, whatever programs have. */
static Result reach(Walker *walker, uint32_t place, uint32_t path, uint32_t size, uint32_t *made) {
    for (uint32_t i = 0; i < size; i++) {
        uint32_t edge = walker->paths[path + i], below = place_below(walker, place, edge);
        if (below == NONE)
            TRY(add_place(walker, place, edge, &below));
        place = below;
    }
    *made = place;
    return DONE;
}

/* The same; NONE if no program has the tokens in this order. */
static Result descend(Walker *walker, uint32_t place, uint32_t path, uint32_t size, uint32_t *made) {
    for (uint32_t i = 0; i < size; i++) {
        uint32_t edge = walker->paths[path + i], below = place_below(walker, place, edge), last = walker->places[place].edge;
        if (below == NONE) {
            if (last != NONE && !follows(walker, last, edge)) {
                *made = NONE;
                return DONE;
            }
            TRY(add_place(walker, place, edge, &below));
        }
        place = below;
    }
    *made = place;
    return DONE;
}

/* Whether any program has what has come after the last token that is decided. */
static int goes_on(const Walker *walker, uint32_t place, uint32_t state) {
    uint32_t edge = walker->places[place].edge;
    if (edge == NONE || walker->states[state].flags & IS_START)
        return 1;
    const Span *list = &walker->lists[walker->states[state].resolved];
    for (uint32_t i = 0; i < list->count; i++) {
        const Branch *ending = &walker->branches[list->at + i];
        if (!ending->size || follows(walker, edge, walker->paths[ending->path]))
            return 1;
    }
    return 0;
}

/* Note ids that decide nothing more. */
static Result leave(Walker *walker, uint32_t place, uint32_t state, const Node *node, uint32_t count) {
    if (!count)
        return DONE;
    int is_known;
    TRY(need_state(walker, state, &is_known));
    if (!is_known)
        return DONE;
    uint32_t left;
    INDEX_FIND(walker->left_index, hash_of_left(place, state, node->kind), left,
               walker->lefts[number_].place == place && walker->lefts[number_].state == state && walker->lefts[number_].kind == node->kind);
    if (left == NONE) {
        ROOM_FOR(walker->lefts, walker->left_room, walker->left_count + 1);
        left = (uint32_t)walker->left_count++;
        walker->lefts[left] = (Left){place, state, walker->places[place].left, NONE, node->kind, !goes_on(walker, place, state)};
        walker->places[place].left = left;
        INDEX_ADD(walker->left_index, left, hash_of_left(walker->lefts[i].place, walker->lefts[i].state, walker->lefts[i].kind));
    }
    if (!walker->lefts[left].is_dead)
        TRY(add_run(walker, &walker->lefts[left].runs, node->start, count));
    return DONE;
}

/* What the ids of a node do where its symbol has led to a state. */
static Result arrive(Walker *walker, const Forest *forest, uint32_t place, uint32_t state, uint32_t number) {
    const Node *node = &forest->nodes[number];
    const uint64_t *below = forest->below + (size_t)number * walker->words, *stays = walker->stays + (size_t)state * walker->words;
    uint64_t moves = 0;
    for (size_t i = 0; i < walker->words; i++)
        moves |= below[i] & ~stays[i];
    if (!moves)
        return leave(walker, place, state, node, node->size);
    TRY(leave(walker, place, state, node, node->own));
    for (uint32_t child = number + 1; child < node->end; child = forest->nodes[child].end) {
        ROOM_FOR(walker->todo, walker->todo_room, walker->todo_count + 1);
        walker->todo[walker->todo_count++] = (Todo){place, state, child};
    }
    return DONE;
}

static Result walk_on(Walker *walker, const Forest *forest, Todo todo, int is_atomic) {
    const Span *list;
    TRY(step(walker, todo.state, forest->nodes[todo.node].symbol, &list));
    if (list == NULL)
        return DONE;
    Span branches = *list;
    for (uint32_t i = 0; i < branches.count; i++) {
        Branch branch = walker->branches[branches.at + i];
        if (is_atomic) {
            int is_known;
            TRY(need_state(walker, branch.to, &is_known));
            if (!is_known || walker->states[branch.to].flags & IN_LITERAL)
                continue;
        }
        uint32_t place;
        TRY(descend(walker, todo.place, branch.path, branch.size, &place));
        if (place != NONE)
            TRY(arrive(walker, forest, place, branch.to, todo.node));
    }
    return DONE;
}

static Result walk_todo(Walker *walker, const Forest *forest) {
    while (walker->todo_count)
        TRY(walk_on(walker, forest, walker->todo[--walker->todo_count], 0));
    return DONE;
}

/* Add the ids of an uppermost node of a forest. */
static Result walk(Walker *walker, const Forest *forest, uint32_t state, uint32_t node) {
    TRY(walk_on(walker, forest, (Todo){0, state, node}, forest->atomic[forest->nodes[node].kind]));
    return walk_todo(walker, forest);
}

static Result start_walk(Walker *walker) {
    uint32_t root;
    walker->place_count = walker->left_count = walker->run_count = walker->todo_count = 0;
    index_clear(&walker->place_index);
    index_clear(&walker->left_index);
    return add_place(walker, NONE, NONE, &root);
}

/* The trie of what has been noted. */
static Result finish_walk(Walker *walker, const Forest *forest, uint32_t *made) {
    for (uint32_t left = 0; left < walker->left_count; left++) {
        Left one = walker->lefts[left];
        if (one.is_dead)
            continue;
        uint32_t set, place;
        TRY(set_of_runs(walker, forest, one.runs, &set));
        Span list = walker->lists[walker->states[one.state].resolved];
        for (uint32_t i = 0; i < list.count; i++) {
            Branch ending = walker->branches[list.at + i];
            TRY(reach(walker, one.place, ending.path, ending.size, &place));
            TRY(add_run(walker, &walker->places[place].sets, set, 0));
        }
    }
    /* Tries that stand alone stay as they are; others are taken apart, from above. */
    for (uint32_t place = 0; place < walker->place_count; place++) {
        Place one = walker->places[place];
        if (one.tries == NONE)
            continue;
        if (one.sets == NONE && one.child == NONE && walker->runs[one.tries].next == NONE) {
            walker->places[place].made = walker->runs[one.tries].at;
            continue;
        }
        for (uint32_t run = one.tries; run != NONE; run = walker->runs[run].next) {
            uint32_t again = one.tries;
            while (again != run && walker->runs[again].at != walker->runs[run].at)
                again = walker->runs[again].next;
            if (again != run)
                continue;
            Trie trie = walker->tries[walker->runs[run].at];
            TRY(add_run(walker, &walker->places[place].sets, trie.set, 0));
            for (uint32_t i = 0; i < trie.count; i++) {
                uint32_t edge = walker->pairs[trie.at + 2 * i], below = place_below(walker, place, edge);
                if (below == NONE)
                    TRY(add_place(walker, place, edge, &below));
                TRY(add_run(walker, &walker->places[below].tries, walker->pairs[trie.at + 2 * i + 1], 0));
            }
        }
    }
    for (uint32_t place = (uint32_t)walker->place_count; place-- > 0;) {
        Place *one = &walker->places[place];
        if (one->made != NONE)
            continue;
        uint32_t set;
        TRY(set_of_sets(walker, one->sets, &set));
        walker->scratch_count = 0;
        for (uint32_t child = one->child; child != NONE; child = walker->places[child].sibling) {
            uint32_t pair[2] = {walker->places[child].edge, walker->places[child].made};
            if (pair[1])
                TRY(scratch_append(walker, pair, 2));
        }
        if (walker->scratch_count > 2)
            qsort(walker->scratch, walker->scratch_count / 2, 2 * sizeof(uint32_t), compare_ids);
        TRY(trie_of(walker, set, walker->scratch, walker->scratch_count / 2, &one->made));
    }
    *made = walker->places[0].made;
    return DONE;
}

/* The state that most first symbols lead to without deciding anything; the state itself if there is none. */
static Result usual_of(Walker *walker, uint32_t state, uint32_t *usual) {
    *usual = state;
    const LexerState *one = &walker->states[state];
    if (one->flags & IS_START && one->flags & IN_CODE)
        return DONE;
    uint32_t counted[MOST_SYMBOLS], counts[MOST_SYMBOLS], different = 0, best = 0;
    for (uint32_t symbol = 0; symbol < walker->symbols; symbol++) {
        const Span *list;
        if (walker->first_set[symbol] == NONE)
            continue;
        TRY(step(walker, state, symbol, &list));
        if (list == NULL || list->count != 1 || walker->branches[list->at].size)
            continue;
        uint32_t to = walker->branches[list->at].to, at = 0;
        while (at < different && counted[at] != to)
            at++;
        if (at == different) {
            counted[different] = to;
            counts[different++] = 0;
        }
        if (++counts[at] > counts[best] || at == best)
            best = at;
    }
    if (!different)
        return DONE;
    int is_known;
    TRY(need_state(walker, counted[best], &is_known));
    if (is_known && walker->states[counted[best]].mode == one->mode && !(walker->states[counted[best]].flags & IS_START))
        *usual = counted[best];
    return DONE;
}

static uint32_t path_item(const Walker *walker, const Branch *first, const Branch *second, uint32_t at) {
    return at < first->size ? walker->paths[first->path + at] : walker->paths[second->path + at - first->size];
}

/* Whether two branches say the same, each of them one that follows another one. */
static int is_same(const Walker *walker, const Branch *one, const Branch *after_one, const Branch *other, const Branch *after_other) {
    uint32_t size = one->size + after_one->size;
    if (size != other->size + after_other->size || after_one->to != after_other->to)
        return 0;
    for (uint32_t i = 0; i < size; i++)
        if (path_item(walker, one, after_one, i) != path_item(walker, other, after_other, i))
            return 0;
    return 1;
}

/* Whether a symbol ends what has come, so that it counts for the state of what follows that. */
static Result decides_before(Walker *walker, uint32_t state, uint32_t symbol, int *decides) {
    static const Branch nothing = {0, 0, 0};
    *decides = 1;
    if (!(walker->relevant[state * walker->words + (symbol >> 6)] >> (symbol & 63) & 1))
        return DONE;
    const Span *list;
    TRY(step(walker, state, symbol, &list));
    Span begun = walker->lists[walker->states[state].begun];
    if (list == NULL)
        return DONE;
    Span here = *list;
    uint8_t is_found[64] = {0};
    *decides = 0;
    if (here.count > sizeof(is_found))
        return DONE;
    for (uint32_t i = 0; i < begun.count; i++) {
        const Branch *first = &walker->branches[begun.at + i];
        TRY(step(walker, first->to, symbol, &list));
        if (list == NULL)
            return DONE;
        for (uint32_t j = 0; j < list->count; j++) {
            int is_there = 0;
            for (uint32_t k = 0; k < here.count; k++)
                if (is_same(walker, first, &walker->branches[list->at + j], &nothing, &walker->branches[here.at + k]))
                    is_there = is_found[k] = 1;
            if (!is_there)
                return DONE;
        }
    }
    *decides = 1;
    for (uint32_t k = 0; k < here.count; k++)
        *decides = *decides && is_found[k];
    return DONE;
}

/* The trie of a state, of some ids alone, where the trie of the state is known. */
static Result part_of(Walker *walker, uint32_t target, uint32_t set, uint32_t *made) {
    uint32_t hash = mixed(mixed(11, target), set), part;
    INDEX_FIND(walker->part_index, hash, part, walker->parts[number_].target == target && walker->parts[number_].set == set);
    if (part == NONE) {
        uint32_t restricted;
        TRY(restrict_trie(walker, walker->state_tries[target], set, &restricted));
        ROOM_FOR(walker->parts, walker->part_room, walker->part_count + 1);
        part = (uint32_t)walker->part_count++;
        walker->parts[part] = (Part){target, set, restricted};
        INDEX_ADD(walker->part_index, part, mixed(mixed(11, walker->parts[i].target), walker->parts[i].set));
    }
    *made = walker->parts[part].made;
    return DONE;
}

/* Add what ids do in another state, after some tokens. */
static Result add_link(Walker *walker, uint32_t path, uint32_t size, uint32_t target, uint32_t set) {
    uint32_t trie, place;
    TRY(part_of(walker, target, set, &trie));
    if (!trie)
        return DONE;
    TRY(reach(walker, 0, path, size, &place));
    return add_run(walker, &walker->places[place].tries, trie, 0);
}

/* Whether the trie of a state is known; if not, it comes next. A state that waits for itself: CANNOT. */
static Result need_trie(Walker *walker, uint32_t state, int *is_known) {
    *is_known = walker->state_tries[state] != NONE;
    if (*is_known)
        return DONE;
    if (walker->is_open[state])
        return CANNOT;
    return push(walker, state);
}

static Result symbol_set(Walker *walker, const uint8_t *is_in, uint32_t *set) {
    scratch_clear(walker);
    for (size_t symbol = 0; symbol < walker->symbols; symbol++)
        if (is_in[symbol])
            scratch_add_set(walker, &walker->sets[walker->first_set[symbol]]);
    return set_of_scratch_bits(walker, set);
}

/* Make the trie of a state at the beginning of a line. What ids do after their blanks is the same at every indent. */
static Result make_line(Walker *walker, uint32_t state) {
    const Forest *forest = &walker->forests[0];
    TRY(start_walk(walker));
    for (int is_linked = 0; is_linked < 2; is_linked++) { /* first all ids that end with blanks or go on without code, then the others */
        walker->todo_count = 0;
        for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end) {
            if (forest->atomic[forest->nodes[node].kind])
                return CANNOT;
            ROOM_FOR(walker->todo, walker->todo_room, walker->todo_count + 1);
            walker->todo[walker->todo_count++] = (Todo){0, state, node};
        }
        /* Blanks lead from place to place; what comes after each is dealt with at once. */
        for (size_t at = 0; at < walker->todo_count; at++) {
            Todo todo = walker->todo[at];
            const Node *node = &forest->nodes[todo.node];
            if (!walker->is_blank[node->symbol]) {
                int is_code = !walker->is_no_code[node->symbol], is_known;
                if (is_code && is_linked) {
                    TRY(need_state(walker, todo.state, &is_known));
                    if (!is_known)
                        continue;
                    Span begun = walker->lists[walker->states[todo.state].begun];
                    for (uint32_t i = 0; i < begun.count; i++) {
                        Branch one = walker->branches[begun.at + i];
                        TRY(need_trie(walker, one.to, &is_known));
                        if (is_known) {
                            uint32_t first = NONE, set;
                            size_t kept = walker->run_count;
                            TRY(add_run(walker, &first, node->start, node->size));
                            TRY(set_of_runs(walker, forest, first, &set));
                            walker->run_count = kept;
                            TRY(add_link(walker, one.path, one.size, one.to, set));
                        }
                    }
                }
                if (!is_code && !is_linked) {
                    size_t kept = walker->todo_count;
                    TRY(walk_on(walker, forest, todo, 0));
                    while (walker->todo_count > kept)
                        TRY(walk_on(walker, forest, walker->todo[--walker->todo_count], 0));
                }
                continue;
            }
            const Span *list;
            TRY(step(walker, todo.state, node->symbol, &list));
            if (list == NULL)
                continue;
            if (list->count != 1 || walker->branches[list->at].size)
                return CANNOT;
            uint32_t to = walker->branches[list->at].to;
            if (!is_linked)
                TRY(leave(walker, 0, to, node, node->own));
            for (uint32_t child = todo.node + 1; child < node->end; child = forest->nodes[child].end) {
                ROOM_FOR(walker->todo, walker->todo_room, walker->todo_count + 1);
                walker->todo[walker->todo_count++] = (Todo){0, to, child};
            }
        }
        if (walker->missing_count)
            return DONE;
    }
    return DONE;
}

/* Make the trie of the state on top of the stack, or put states on it that have to be made before. */
static Result make_state(Walker *walker, uint32_t state) {
    int is_known;
    uint32_t usual;
    TRY(need_state(walker, state, &is_known));
    if (!is_known)
        return DONE;
    const Forest *forest = &walker->forests[0];
    if (walker->states[state].flags & BEGINS_LINE) {
        size_t waiting = walker->stack_count;
        TRY(make_line(walker, state));
        if (walker->missing_count || walker->stack_count > waiting)
            return DONE;
        return finish_walk(walker, forest, &walker->state_tries[state]);
    }
    TRY(usual_of(walker, state, &usual));
    Span begun = walker->lists[walker->states[state].begun];
    for (uint32_t i = 0; i < begun.count; i++) {
        uint32_t at = walker->branches[begun.at + i].to, other;
        TRY(need_state(walker, at, &is_known));
        if (!is_known || !(walker->states[at].flags & IS_START))
            continue;
        TRY(usual_of(walker, at, &other));
        if (other == state) { /* what follows a text refers to the text */
            begun.count = 0;
            break;
        }
    }
    uint8_t is_walked[MOST_SYMBOLS] = {0}, by_usual[MOST_SYMBOLS] = {0}, by_begun[MOST_SYMBOLS] = {0};
    int has_usual = 0, has_begun = 0;
    for (uint32_t symbol = 0; symbol < walker->symbols; symbol++) {
        const Span *here, *there;
        if (walker->first_set[symbol] == NONE)
            continue;
        TRY(step(walker, state, symbol, &here));
        if (here == NULL || !here->count)
            continue;
        int decides = 0;
        if (usual != state) {
            TRY(step(walker, usual, symbol, &there));
            if (there == NULL)
                continue;
            if (here == there) {
                by_usual[symbol] = has_usual = 1;
                continue;
            }
        }
        if (begun.count)
            TRY(decides_before(walker, state, symbol, &decides));
        if (decides)
            by_begun[symbol] = has_begun = 1;
        else
            is_walked[symbol] = 1;
    }
    if (walker->missing_count)
        return DONE;
    size_t before = walker->stack_count;
    if (has_usual)
        TRY(need_trie(walker, usual, &is_known));
    for (uint32_t i = 0; has_begun && i < begun.count; i++)
        TRY(need_trie(walker, walker->branches[begun.at + i].to, &is_known));
    if (walker->stack_count > before)
        return DONE;
    TRY(start_walk(walker));
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end)
        if (is_walked[forest->nodes[node].symbol])
            TRY(walk(walker, forest, state, node));
    if (walker->missing_count)
        return DONE;
    uint32_t set;
    if (has_usual) {
        TRY(symbol_set(walker, by_usual, &set));
        TRY(add_link(walker, 0, 0, usual, set));
    }
    if (has_begun) {
        TRY(symbol_set(walker, by_begun, &set));
        for (uint32_t i = 0; i < begun.count; i++) {
            const Branch *one = &walker->branches[begun.at + i];
            TRY(add_link(walker, one->path, one->size, one->to, set));
        }
    }
    return finish_walk(walker, forest, &walker->state_tries[state]);
}

/* Make the tries of states. What is missing is noted. */
static Result make_states(Walker *walker, const uint32_t *states, size_t count) {
    TRY(find_firsts(walker));
    for (size_t i = 0; i < count && !walker->missing_count; i++) {
        walker->stack_count = 0;
        memset(walker->is_open, 0, walker->state_count);
        TRY(push(walker, states[i]));
        while (walker->stack_count && !walker->missing_count) {
            uint32_t state = walker->stack[walker->stack_count - 1];
            size_t before = walker->stack_count;
            if (walker->state_tries[state] == NONE) {
                walker->is_open[state] = 1;
                TRY(make_state(walker, state));
            }
            if (walker->stack_count == before) {
                walker->is_open[state] = 0;
                walker->stack_count--;
            }
        }
    }
    return DONE;
}

/* The trie of the ids of a forest, from a state on. */
static Result make_walk(Walker *walker, uint32_t state, const Forest *forest, uint32_t *made) {
    TRY(start_walk(walker));
    for (int kind = 0; kind < 256; kind++)
        TRY(leave(walker, 0, state, &forest->empty[kind], forest->empty[kind].own));
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end)
        TRY(walk(walker, forest, state, node));
    return walker->missing_count ? DONE : finish_walk(walker, forest, made);
}

/* The trie of a state whose ids lose a blank that they begin with. */
static Result make_shorn(Walker *walker, uint32_t state, uint32_t blank, uint32_t *made) {
    const Forest *forest = &walker->forests[0];
    TRY(make_states(walker, &state, 1));
    if (walker->missing_count)
        return DONE;
    TRY(start_walk(walker));
    uint32_t others = NONE, set;
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end) {
        if (forest->nodes[node].symbol == blank && !forest->atomic[forest->nodes[node].kind]) {
            TRY(arrive(walker, forest, 0, state, node));
            TRY(walk_todo(walker, forest));
        }
    }
    if (walker->missing_count)
        return DONE;
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end)
        if (forest->nodes[node].symbol != blank || forest->atomic[forest->nodes[node].kind])
            TRY(add_run(walker, &others, forest->nodes[node].start, forest->nodes[node].size));
    TRY(set_of_runs(walker, forest, others, &set));
    TRY(add_link(walker, 0, 0, state, set));
    return finish_walk(walker, forest, made);
}

/* -------------------------------------------------------------------------------------------------------- bindings */

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

/* Set and trie 0 are empty. */
static Result prepare(Walker *walker) {
    uint32_t empty;
    walker->scratch_bits = calloc(walker->set_words + 1, sizeof(uint64_t));
    if (walker->scratch_bits == NULL)
        return NO_MEMORY;
    ROOM_FOR(walker->few, walker->few_room, FEW);
    ROOM_FOR(walker->scratch, walker->scratch_room, FEW);
    ROOM_FOR(walker->pairs, walker->pair_room, FEW);
    TRY(set_of_few(walker, walker->scratch, 0, &empty));
    return trie_of(walker, 0, NULL, 0, &empty);
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
    walker->size = (uint32_t)size;
    walker->set_words = ((size_t)size + 63) / 64;
    Result result = prepare(walker);
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
    Result result = learn(walker, numbers);
    free(copy);
    return result == DONE ? PyBool_FromLong(1) : returned(result, NULL);
}

static PyObject *bytes_of_numbers(const uint32_t *numbers, size_t count) {
    return PyBytes_FromStringAndSize((const char *)numbers, (Py_ssize_t)(count * sizeof(uint32_t)));
}

enum { OF_STATES, OF_WALK, OF_SHORN };

static Result make_tries(Walker *walker, int kind, uint32_t *states, size_t count, uint32_t forest) {
    forget_missing(walker);
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
