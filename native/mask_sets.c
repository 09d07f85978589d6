/* Sets of ids and tries, each only once. */

#include "mask.h"

#include <stdlib.h>

/* --------------------------------------------------------------------------------------------------------- indexes */

/* Room for one more; true in `is_grown` if all must be put in again. */
Result index_reserve(Index *index, int *is_grown) {
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

void index_put(Index *index, uint32_t hash, uint32_t number) {
    size_t at = hash & (index->room - 1);
    while (index->slots[at])
        at = (at + 1) & (index->room - 1);
    index->slots[at] = number + 1;
}

void index_clear(Index *index) {
    if (index->count)
        memset(index->slots, 0, index->room * sizeof(uint32_t));
    index->count = 0;
}

/* ------------------------------------------------------------------------------------------------------------ sets */

static int bits_have(const uint64_t *bits, uint32_t id) { return (int)(bits[id >> 6] >> (id & 63) & 1); }

static uint32_t bit_count(uint64_t word) {
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (uint32_t)(word * 0x0101010101010101u >> 56);
}

static int set_has(const Walker *walker, const Set *set, uint32_t id) {
    if (set->count >= FEW)
        return bits_have(set_bits(walker, set), id);
    const uint32_t *few = walker->few + set->at;
    for (uint32_t i = 0; i < set->count; i++)
        if (few[i] >= id)
            return few[i] == id;
    return 0;
}

int compare_ids(const void *left, const void *right) {
    uint32_t one = *(const uint32_t *)left, other = *(const uint32_t *)right;
    return (one > other) - (one < other);
}

/* The set of sorted ids. */
Result set_of_few(Walker *walker, const uint32_t *ids, uint32_t count, uint32_t *made) {
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

/* Four sums side by side, since each multiplication waits for the one before it. */
static uint32_t hash_of_words(const uint64_t *words, size_t count) {
    uint64_t sums[4] = {1, 2, 3, 4};
    size_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (size_t k = 0; k < 4; k++)
            sums[k] = (sums[k] ^ sums[k] >> 29 ^ words[i + k]) * 0x9E3779B97F4A7C15u;
    for (; i < count; i++)
        sums[0] = (sums[0] ^ sums[0] >> 29 ^ words[i]) * 0x9E3779B97F4A7C15u;
    uint32_t hash = 0;
    for (size_t k = 0; k < 4; k++)
        hash = mixed(mixed(hash, (uint32_t)(sums[k] >> 32)), (uint32_t)sums[k]);
    return hash;
}

/* The set of the bits in `scratch_bits`. */
Result set_of_scratch_bits(Walker *walker, uint32_t *made) {
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
    hash = mixed(hash, hash_of_words(bits, walker->set_words));
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

void scratch_clear(Walker *walker) { memset(walker->scratch_bits, 0, walker->set_words * sizeof(uint64_t)); }

static void scratch_add(Walker *walker, const uint32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++)
        walker->scratch_bits[ids[i] >> 6] |= (uint64_t)1 << (ids[i] & 63);
}

void scratch_add_set(Walker *walker, const Set *set) {
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

Result scratch_append(Walker *walker, const uint32_t *ids, size_t count) {
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
Result set_of_runs(Walker *walker, const Forest *forest, uint32_t first, uint32_t *made) {
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
Result set_of_sets(Walker *walker, uint32_t first, uint32_t *made) {
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
Result trie_of(Walker *walker, uint32_t set, const uint32_t *pairs, size_t count, uint32_t *made) {
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

Result walker_push(Walker *walker, uint32_t number) {
    ROOM_FOR(walker->stack, walker->stack_room, walker->stack_count + 1);
    walker->stack[walker->stack_count++] = number;
    return DONE;
}

Result walker_add_run(Walker *walker, uint32_t *first, uint32_t at, uint32_t size) {
    ROOM_FOR(walker->runs, walker->run_room, walker->run_count + 1);
    walker->runs[walker->run_count] = (Run){at, size, *first};
    *first = (uint32_t)walker->run_count++;
    return DONE;
}

Result store_start(Walker *walker, size_t size) {
    uint32_t empty;
    walker->size = (uint32_t)size;
    walker->set_words = (size + 63) / 64;
    walker->scratch_bits = calloc(walker->set_words + 1, sizeof(uint64_t));
    if (walker->scratch_bits == NULL)
        return NO_MEMORY;
    ROOM_FOR(walker->few, walker->few_room, FEW);
    ROOM_FOR(walker->scratch, walker->scratch_room, FEW);
    ROOM_FOR(walker->pairs, walker->pair_room, FEW);
    TRY(set_of_few(walker, walker->scratch, 0, &empty));
    return trie_of(walker, 0, NULL, 0, &empty);
}

/* Work out all ids of a trie, and of those in it. */
static Result find_every(Walker *walker, uint32_t root) {
    ROOM_FOR(walker->every, walker->every_room, walker->trie_count);
    while (walker->every_count < walker->trie_count)
        walker->every[walker->every_count++] = NONE;
    size_t bottom = walker->stack_count;
    TRY(walker_push(walker, root));
    while (walker->stack_count > bottom) {
        uint32_t trie = walker->stack[walker->stack_count - 1];
        const Trie *one = &walker->tries[trie];
        size_t before = walker->stack_count;
        for (uint32_t i = 0; walker->every[trie] == NONE && i < one->count; i++) {
            uint32_t below = walker->pairs[one->at + 2 * i + 1];
            if (walker->every[below] == NONE)
                TRY(walker_push(walker, below));
        }
        if (walker->stack_count > before)
            continue;
        walker->stack_count--;
        if (walker->every[trie] != NONE)
            continue;
        size_t kept = walker->run_count;
        uint32_t first = NONE;
        TRY(walker_add_run(walker, &first, one->set, 0));
        for (uint32_t i = 0; i < one->count; i++)
            TRY(walker_add_run(walker, &first, walker->every[walker->pairs[one->at + 2 * i + 1]], 0));
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
Result trie_restrict(Walker *walker, uint32_t root, uint32_t set, uint32_t *made) {
    TRY(find_every(walker, root));
    ROOM_FOR(walker->restricted, walker->restricted_room, walker->trie_count);
    ROOM_FOR(walker->stamps, walker->stamp_room, walker->trie_count);
    while (walker->stamped < walker->trie_count)
        walker->stamps[walker->stamped++] = 0;
    walker->stamp++;
    size_t bottom = walker->stack_count;
    TRY(walker_push(walker, root));
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
                TRY(walker_push(walker, walker->pairs[one.at + 2 * i + 1]));
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
