/* The tries of a vocabulary: what its ids ask of the parser in each state of a lexer. What groups_of, Tables and Tries of
   tokenizer_ext.constrain do, on arrays.

   Symbols are numbers here, one for all that no pattern tells apart. Ids stand in a *forest*, a tree over their symbols in
   preorder, so that the ids below a node are a run. A walk takes a lexer state through a forest and notes in a *growing* tree of
   edges where the ids end. Sets and tries that are equal have the same number; number 0 is the empty one.
   What the lexer does in its states is asked of Python: a walk that lacks something says what. */

#ifndef SIMPY_MASK_H
#define SIMPY_MASK_H

#include "core.h"

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

typedef struct {
    const uint8_t *text;
    uint32_t size, id;
    uint8_t kind;
} Entry;

/* Numbers that Python has written. */
typedef struct {
    const uint32_t *at, *end;
} Numbers;

/* --------------------------------------------------------------------------------------------------------- indexes */

static inline uint32_t mixed(uint32_t hash, uint32_t value) {
    hash = (hash ^ value) * 0x9E3779B1u;
    return hash ^ (hash >> 15);
}

/* Room for one more; true in `is_grown` if all must be put in again. */
Result index_reserve(Index *index, int *is_grown);
void index_put(Index *index, uint32_t hash, uint32_t number);
void index_clear(Index *index);

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

/* ----------------------------------------------------------------------------------------------------- mask_sets.c */

/* Sets of ids below a size, in zeroed memory; set and trie 0 are empty. */
Result store_start(Walker *walker, size_t size);
void store_free(Walker *walker);
static inline const uint64_t *set_bits(const Walker *walker, const Set *set) { return walker->bits + set->at; }

/* The set of sorted ids. */
Result set_of_few(Walker *walker, const uint32_t *ids, uint32_t count, uint32_t *made);
/* The set of the bits in `scratch_bits`. */
Result set_of_scratch_bits(Walker *walker, uint32_t *made);
void scratch_clear(Walker *walker);
void scratch_add_set(Walker *walker, const Set *set);
Result scratch_append(Walker *walker, const uint32_t *ids, size_t count);
/* The ids of linked runs of a forest. */
Result set_of_runs(Walker *walker, const Forest *forest, uint32_t first, uint32_t *made);
/* The ids of linked sets. */
Result set_of_sets(Walker *walker, uint32_t first, uint32_t *made);
/* The trie of a set and of pairs of an edge and a trie: the same for the same pairs in the same order. They are none of `walker->pairs`. */
Result trie_of(Walker *walker, uint32_t set, const uint32_t *pairs, size_t count, uint32_t *made);
/* A trie of those of its ids alone that are in a set. */
Result trie_restrict(Walker *walker, uint32_t root, uint32_t set, uint32_t *made);
Result walker_push(Walker *walker, uint32_t number); /* on the stack */
Result walker_add_run(Walker *walker, uint32_t *first, uint32_t at, uint32_t size);
int compare_ids(const void *left, const void *right);

/* ----------------------------------------------------------------------------------------------------- mask_walk.c */

Result forest_make(const Walker *walker, Forest *forest, Entry *entries, size_t count);
Result forest_find_firsts(Walker *walker);
/* Take what Python says of the lexer: follower sets, edges, lists of branches, states, steps; each with their number before. */
Result lexer_learn(Walker *walker, Numbers numbers);
/* Forget what has been asked for. What Python has not said since is asked for again when it is needed. */
void lexer_forget_missing(Walker *walker);
/* Whether a state is known; Python is asked if it is not. */
Result lexer_need_state(Walker *walker, uint32_t state, int *is_known);
/* Where a symbol leads; NULL if Python has to be asked. */
Result lexer_step(Walker *walker, uint32_t state, uint32_t symbol, const Span **list);
/* The place after some more tokens, whatever programs have. */
Result walk_reach(Walker *walker, uint32_t place, uint32_t path, uint32_t size, uint32_t *made);
/* Note ids that decide nothing more. */
Result walk_leave(Walker *walker, uint32_t place, uint32_t state, const Node *node, uint32_t count);
/* What the ids of a node do where its symbol has led to a state. */
Result walk_arrive(Walker *walker, const Forest *forest, uint32_t place, uint32_t state, uint32_t number);
Result walk_on(Walker *walker, const Forest *forest, Todo todo, int is_atomic);
Result walk_todo(Walker *walker, const Forest *forest);
/* Add the ids of an uppermost node of a forest. */
Result walk_node(Walker *walker, const Forest *forest, uint32_t state, uint32_t node);
Result walk_start(Walker *walker);
/* The trie of what has been noted. */
Result walk_finish(Walker *walker, const Forest *forest, uint32_t *made);

/* --------------------------------------------------------------------------------------------------- mask_states.c */

/* Make the tries of states. What is missing is noted. */
Result make_states(Walker *walker, const uint32_t *states, size_t count);
/* The trie of the ids of a forest, from a state on. */
Result make_walk(Walker *walker, uint32_t state, const Forest *forest, uint32_t *made);
/* The trie of a state whose ids lose a blank that they begin with. */
Result make_shorn(Walker *walker, uint32_t state, uint32_t blank, uint32_t *made);

#endif
