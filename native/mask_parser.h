/* The walks of masks: the tries of a vocabulary with the stack of the parser. What Masks of tokenizer_ext.constrain.masks does,
   which says what it means, on numbered records.

   An *item* is a place or a guard of Python, an *open* is a continuation (number 0 is the empty one), an *answer* is what has been
   found for one question. A question that needs the answers to others is asked again when they are known: all that it lacks is put
   on a stack, so nothing calls itself. Equal records have the same number. */

#ifndef SIMPY_MASK_PARSER_H
#define SIMPY_MASK_PARSER_H

#include "mask.h"

enum { MOST_ANSWERS = 1 << 22, STANDS = 18, INNERMOST = 3 };

/* What a shift into a state reads, as far as it matters to where a token must stand. */
enum { OTHER, OPENS, OPENS_FIELD, CLOSES, BEGINS };

typedef struct {
    uint32_t ids, open;
} Found;

typedef struct {
    uint32_t key; /* a token; or the number of tokens for an indent, one more for one that may still grow */
    uint32_t mode, where, refused;
    uint32_t is_laid, column, narrow;
    uint32_t absent, absent_count; /* those that the row must not have */
} AskedEdge;

typedef struct {
    uint32_t parent, column, narrow;
} OpenBlock;

enum { PLACE, GUARD_OF_WALK, GUARD_OF_WHERE };

typedef struct {
    uint32_t kind;
    uint32_t what;  /* a trie; an open; or where a token must stand, twice, and one more if a bracket has been closed */
    uint32_t block; /* of a place: the innermost open block */
    uint32_t name, missing;
    Found found; /* of a guard */
} Item;

typedef struct {
    uint32_t at, count, hash;
} Open;

enum { OF_TRIE, OF_OPEN, OF_ITEM };
enum { NEW, WAITING, KNOWN };

typedef struct {
    uint8_t kind, is;
    uint16_t state;
    uint32_t what, block;
    Found found;
} Answer;

typedef struct {
    int action;
    uint32_t edge, below;
} Reduced;

/* Sets and tries as Python has them (tokenizer_ext.constrain.shelf), which are taken over when they are needed. */
typedef struct {
    uint32_t *sets, *tries; /* number -> that of the store, or NONE */
    size_t set_count, set_room, trie_count, trie_room;
    const uint32_t **set_parts;
    const char **set_bits;
    const uint32_t **trie_parts;
    size_t set_part_room, set_bits_room, trie_part_room;
    uint32_t *edges;
    size_t edge_count, edge_room;
    void **owned; /* numbers that have been copied */
    size_t owned_count, owned_room;
    void **held; /* the objects of Python that bits are in */
    size_t held_count, held_room;
} Shelf;

typedef struct {
    void *owner; /* the object of Python that keeps the tables */
    const Tables *tables;
    Walker store; /* of sets and tries */
    uint32_t size, taken;
    uint32_t *modes;
    uint8_t *shifted, *is_fresh;
    uint8_t stands[STANDS];
    uint32_t indent, dedent;
    Shelf *shelves;
    size_t shelf_count, shelf_room;
    AskedEdge *edges;
    size_t edge_count, edge_room;
    Index edge_index;
    uint32_t *absent;
    size_t absent_count, absent_room;
    uint8_t *is_laid; /* trie -> whether an indent is in it */
    size_t laid_count, laid_room;
    OpenBlock *blocks;
    size_t block_count, block_room;
    Index block_index;
    Item *items;
    size_t item_count, item_room;
    Index item_index;
    Open *opens;
    size_t open_count, open_room;
    uint32_t *members; /* the items of all opens */
    size_t member_count, member_room;
    Index open_index;
    Answer *answers;
    size_t answer_count, answer_room;
    Index answer_index;
    uint32_t *todo; /* answers that are wanted */
    size_t todo_count, todo_room;
    int is_lacking; /* the answer that is worked out lacks others */
    Found *parts;
    size_t part_count, part_room;
    Reduced *reduced;
    size_t reduced_count, reduced_room;
} Walks;

static inline uint32_t token_count(const Walks *walks) { return (uint32_t)walks->tables->tokens; }

static inline uint32_t state_count(const Walks *walks) { return (uint32_t)walks->tables->states; }

/* Begin with the empty records, in zeroed memory whose tables and size are set. */
Result walks_start(Walks *walks);
Result edge_of(Walks *walks, AskedEdge edge, uint32_t *made);
/* The blocks that are open when one more is; number 0 is that none is. */
Result block_of(Walks *walks, uint32_t parent, uint32_t column, uint32_t narrow, uint32_t *made);
/* What is known of a trie from the state on top of the stack. */
Result walk_from(Walks *walks, uint32_t trie, uint32_t top, uint32_t block, Found *found);
/* What an open leads to with one more state. */
Result walk_on_from(Walks *walks, uint32_t open, uint32_t below, Found *found);

#endif
