/* The walks of masks; mask_parser.h says what they are. */

#include "mask_parser.h"

#include <stdlib.h>

static const Found nothing = {0, 0};

/* ---------------------------------------------------------------------------------------------------------- tables */

static inline int action_in(const Walks *walks, uint32_t state, uint32_t token) { return action_of(walks->tables, (int)state, (int)token); }

static inline Rule rule_of(const Walks *walks, int action) { return walks->tables->rule[-1 - action]; }

static Result target_of(const Walks *walks, uint32_t state, uint32_t name, uint32_t *target) {
    int found = goto_of(walks->tables, (int)state, (int)name);
    *target = (uint32_t)found;
    return found < 0 ? CANNOT : DONE;
}

static int row_has(const Walks *walks, uint32_t state, uint32_t key) {
    return key < token_count(walks) ? action_in(walks, state, key) != 0 : walks->is_fresh[state];
}

/* --------------------------------------------------------------------------------------------------------- records */

static uint32_t hash_of_edge(const Walks *walks, const AskedEdge *edge) {
    uint32_t hash = mixed(mixed(mixed(edge->key, edge->mode), edge->where), edge->refused);
    hash = mixed(mixed(mixed(hash, edge->is_laid), edge->column), edge->narrow);
    for (uint32_t i = 0; i < edge->absent_count; i++)
        hash = mixed(hash, walks->absent[edge->absent + i]);
    return hash;
}

static int is_same_edge(const Walks *walks, const AskedEdge *one, const AskedEdge *other) {
    return one->key == other->key && one->mode == other->mode && one->where == other->where && one->refused == other->refused &&
           one->is_laid == other->is_laid && one->column == other->column && one->narrow == other->narrow &&
           one->absent_count == other->absent_count &&
           (one->absent_count == 0 || memcmp(walks->absent + one->absent, walks->absent + other->absent, one->absent_count * sizeof(uint32_t)) == 0);
}

Result edge_of(Walks *walks, AskedEdge edge, uint32_t *made) {
    uint32_t hash = hash_of_edge(walks, &edge);
    INDEX_FIND(walks->edge_index, hash, *made, is_same_edge(walks, &walks->edges[number_], &edge));
    if (*made != NONE)
        return DONE;
    ROOM_FOR(walks->edges, walks->edge_room, walks->edge_count + 1);
    *made = (uint32_t)walks->edge_count;
    walks->edges[walks->edge_count++] = edge;
    INDEX_ADD(walks->edge_index, *made, hash_of_edge(walks, &walks->edges[i]));
    return DONE;
}

/* The trie of some pairs of an edge and a trie, without ids. They are none of the store. */
static Result trie_of_pairs(Walks *walks, const uint32_t *pairs, size_t count, uint32_t *made) {
    return trie_of(&walks->store, 0, pairs, count, made);
}

static Result trie_after(Walks *walks, AskedEdge edge, uint32_t below, uint32_t *made) {
    uint32_t pair[2] = {0, below};
    TRY(edge_of(walks, edge, &pair[0]));
    return trie_of_pairs(walks, pair, 1, made);
}

/* Whether an indent is in a trie, so that the open blocks matter to it. */
static Result trie_is_laid(Walks *walks, uint32_t trie, int *is_laid) {
    const Walker *store = &walks->store;
    if (trie >= walks->laid_count)
        ROOM_FOR(walks->is_laid, walks->laid_room, store->trie_count);
    for (; walks->laid_count <= trie; walks->laid_count++) { /* each comes after those below it */
        const Trie *one = &store->tries[walks->laid_count];
        uint8_t found = 0;
        for (uint32_t i = 0; i < one->count; i++) {
            const uint32_t *pair = store->pairs + one->at + 2 * i;
            found |= (uint8_t)(walks->edges[pair[0]].is_laid || walks->is_laid[pair[1]]);
        }
        walks->is_laid[walks->laid_count] = found;
    }
    *is_laid = walks->is_laid[trie];
    return DONE;
}

static uint32_t hash_of_block(OpenBlock block) { return mixed(mixed(mixed(11, block.parent), block.column), block.narrow); }

Result block_of(Walks *walks, uint32_t parent, uint32_t column, uint32_t narrow, uint32_t *made) {
    OpenBlock block = {parent, column, narrow};
    INDEX_FIND(walks->block_index, hash_of_block(block), *made,
               walks->blocks[number_].parent == parent && walks->blocks[number_].column == column && walks->blocks[number_].narrow == narrow);
    if (*made != NONE)
        return DONE;
    ROOM_FOR(walks->blocks, walks->block_room, walks->block_count + 1);
    *made = (uint32_t)walks->block_count;
    walks->blocks[walks->block_count++] = block;
    INDEX_ADD(walks->block_index, *made, hash_of_block(walks->blocks[i]));
    return DONE;
}

static uint32_t hash_of_item(Item item) {
    uint32_t hash = mixed(mixed(mixed(item.kind, item.what), item.block), item.name);
    return mixed(mixed(mixed(hash, item.missing), item.found.ids), item.found.open);
}

static int is_same_item(const Item *one, const Item *other) {
    return one->kind == other->kind && one->what == other->what && one->block == other->block && one->name == other->name &&
           one->missing == other->missing && one->found.ids == other->found.ids && one->found.open == other->found.open;
}

static Result item_of(Walks *walks, Item item, uint32_t *made) {
    INDEX_FIND(walks->item_index, hash_of_item(item), *made, is_same_item(&walks->items[number_], &item));
    if (*made != NONE)
        return DONE;
    ROOM_FOR(walks->items, walks->item_room, walks->item_count + 1);
    *made = (uint32_t)walks->item_count;
    walks->items[walks->item_count++] = item;
    INDEX_ADD(walks->item_index, *made, hash_of_item(walks->items[i]));
    return DONE;
}

/* The open of sorted items. They are none of `walks->members`. */
static Result open_of(Walks *walks, const uint32_t *items, size_t count, uint32_t *made) {
    uint32_t hash = 7;
    for (size_t i = 0; i < count; i++)
        hash = mixed(hash, items[i]);
    INDEX_FIND(walks->open_index, hash, *made,
               walks->opens[number_].hash == hash && walks->opens[number_].count == count &&
                   (count == 0 || memcmp(walks->members + walks->opens[number_].at, items, count * sizeof(uint32_t)) == 0));
    if (*made != NONE)
        return DONE;
    if (walks->member_count + count > MOST_ANSWERS)
        return CANNOT;
    ROOM_FOR(walks->opens, walks->open_room, walks->open_count + 1);
    ROOM_FOR(walks->members, walks->member_room, walks->member_count + count);
    if (count)
        memcpy(walks->members + walks->member_count, items, count * sizeof(uint32_t));
    *made = (uint32_t)walks->open_count;
    walks->opens[walks->open_count++] = (Open){(uint32_t)walks->member_count, (uint32_t)count, hash};
    walks->member_count += count;
    INDEX_ADD(walks->open_index, *made, walks->opens[i].hash);
    return DONE;
}

static uint32_t hash_of_answer(const Answer *answer) {
    return mixed(mixed(mixed(answer->kind, answer->what), answer->state), answer->block);
}

/* The number of a question and its answer. */
static Result answer_of(Walks *walks, int kind, uint32_t what, uint32_t state, uint32_t block, uint32_t *made) {
    Answer answer = {(uint8_t)kind, NEW, (uint16_t)state, what, block, nothing};
    INDEX_FIND(walks->answer_index, hash_of_answer(&answer), *made,
               walks->answers[number_].what == what && walks->answers[number_].state == state && walks->answers[number_].block == block &&
                   walks->answers[number_].kind == kind);
    if (*made != NONE)
        return DONE;
    if (walks->answer_count >= MOST_ANSWERS)
        return CANNOT;
    ROOM_FOR(walks->answers, walks->answer_room, walks->answer_count + 1);
    *made = (uint32_t)walks->answer_count;
    walks->answers[walks->answer_count++] = answer;
    INDEX_ADD(walks->answer_index, *made, hash_of_answer(&walks->answers[i]));
    return DONE;
}

/* ----------------------------------------------------------------------------------------------------------- walks */

static Result want(Walks *walks, uint32_t answer) {
    ROOM_FOR(walks->todo, walks->todo_room, walks->todo_count + 1);
    walks->todo[walks->todo_count++] = answer;
    return DONE;
}

/* The answer to a question. Where it is not known yet it is wanted, and what is made of it here does not count. */
static Result ask(Walks *walks, int kind, uint32_t what, uint32_t state, uint32_t block, Found *found) {
    uint32_t number;
    TRY(answer_of(walks, kind, what, state, block, &number));
    const Answer *answer = &walks->answers[number];
    *found = answer->is == KNOWN ? answer->found : nothing;
    if (answer->is == KNOWN)
        return DONE;
    if (answer->is == WAITING) /* all that is above it on the stack is for it, so it would need itself */
        return CANNOT;
    walks->is_lacking = 1;
    return want(walks, number);
}

static Result ask_trie(Walks *walks, uint32_t trie, uint32_t top, uint32_t block, Found *found) {
    int is_laid;
    TRY(trie_is_laid(walks, trie, &is_laid));
    return ask(walks, OF_TRIE, trie, top, is_laid ? block : 0, found);
}

static Result add_part(Walks *walks, Found part) {
    if (!part.ids && !part.open)
        return DONE;
    ROOM_FOR(walks->parts, walks->part_room, walks->part_count + 1);
    walks->parts[walks->part_count++] = part;
    return DONE;
}

/* All that the parts from one on hold; they are taken away. */
static Result unite(Walks *walks, size_t from, Found *made) {
    size_t count = walks->part_count - from;
    walks->part_count = from;
    *made = nothing;
    if (walks->is_lacking || !count)
        return DONE;
    const Found *parts = walks->parts + from;
    *made = parts[0];
    if (count == 1)
        return DONE;
    Walker *store = &walks->store;
    uint32_t first = NONE;
    int is_one = 1;
    store->run_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].ids)
            TRY(walker_add_run(store, &first, parts[i].ids, 0));
        if (!made->open)
            made->open = parts[i].open;
        is_one = is_one && (!parts[i].open || parts[i].open == made->open);
    }
    TRY(set_of_sets(store, first, &made->ids));
    if (is_one)
        return DONE;
    store->scratch_count = 0;
    for (size_t i = 0; i < count; i++)
        TRY(scratch_append(store, walks->members + walks->opens[parts[i].open].at, walks->opens[parts[i].open].count));
    qsort(store->scratch, store->scratch_count, sizeof(uint32_t), compare_ids);
    size_t kept = 0;
    for (size_t i = 0; i < store->scratch_count; i++)
        if (!kept || store->scratch[kept - 1] != store->scratch[i])
            store->scratch[kept++] = store->scratch[i];
    return open_of(walks, store->scratch, kept, &made->open);
}

static Result wait_at(Walks *walks, Item item, Found *made) {
    uint32_t number;
    *made = nothing;
    TRY(item_of(walks, item, &number));
    return open_of(walks, &number, 1, &made->open);
}

static Result wait_at_place(Walks *walks, uint32_t trie, uint32_t block, uint32_t name, uint32_t missing, Found *made) {
    int is_laid;
    TRY(trie_is_laid(walks, trie, &is_laid));
    return wait_at(walks, (Item){PLACE, trie, is_laid ? block : 0, name, missing, nothing}, made);
}

static Result wait_at_guard(Walks *walks, uint32_t kind, uint32_t test, Found found, Found *made) {
    *made = found;
    return found.ids || found.open ? wait_at(walks, (Item){kind, test, 0, 0, 0, found}, made) : DONE;
}

/* What has been found, with one more state below. */
static Result go_on(Walks *walks, Found found, uint32_t below, Found *made) {
    *made = found;
    if (!found.open)
        return DONE;
    Found further;
    size_t from = walks->part_count;
    TRY(ask(walks, OF_OPEN, found.open, below, 0, &further));
    TRY(add_part(walks, (Found){found.ids, 0}));
    TRY(add_part(walks, further));
    return unite(walks, from, made);
}

/* What has been found, if a token stands where it must; `state` is the next one from above, the lowest one is 0. */
static Result guard_where(Walks *walks, uint32_t test, Found found, uint32_t state, Found *made) {
    uint32_t where = test / 2, is_closed = test % 2;
    int shifted = walks->shifted[state];
    if ((shifted == OPENS || shifted == OPENS_FIELD) && is_closed)
        is_closed = 0;
    else if (shifted == CLOSES)
        is_closed = 1;
    else if (shifted != OTHER || !state) { /* OPENS and OPENS_FIELD are the number of what stands(where, ...) is asked about */
        *made = walks->stands[INNERMOST * where + (uint32_t)(shifted == OPENS || shifted == OPENS_FIELD ? shifted : 0)] ? found : nothing;
        return DONE;
    }
    return wait_at_guard(walks, GUARD_OF_WHERE, 2 * where + is_closed, found, made);
}

/* What has been found, if a test finds nothing. */
static Result unless(Walks *walks, Found test, Found found, Found *made) {
    *made = test.ids ? nothing : found;
    return !test.ids && test.open ? wait_at_guard(walks, GUARD_OF_WALK, test.open, found, made) : DONE;
}

static Result shift(Walks *walks, const AskedEdge *edge, uint32_t below, uint32_t target, uint32_t top, uint32_t block, Found *made) {
    *made = nothing;
    if (edge->mode != walks->modes[target] && below != walks->taken)
        return DONE;
    uint32_t where = edge->where;
    Found found;
    TRY(ask_trie(walks, below, target, block, &found));
    if (where)
        TRY(guard_where(walks, 2 * where, found, target, &found));
    return go_on(walks, found, top, made);
}

static Result reduce(Walks *walks, uint32_t trie, int action, uint32_t top, uint32_t block, Found *made) {
    Rule rule = rule_of(walks, action);
    if (rule.length)
        return wait_at_place(walks, trie, block, rule.name, rule.length - 1u, made);
    uint32_t target;
    Found found;
    TRY(target_of(walks, top, rule.name, &target));
    TRY(ask_trie(walks, trie, target, block, &found));
    return go_on(walks, found, top, made);
}

/* What is found after a token, if the parser refuses another one. */
static Result unless_taken(Walks *walks, AskedEdge edge, uint32_t below, int action, int refused, uint32_t top, uint32_t block, Found *made) {
    AskedEdge asked = {.key = edge.refused, .refused = NONE};
    uint32_t trie;
    Found found, test;
    edge.refused = NONE;
    edge.absent_count = 0;
    if (action < 0) {
        TRY(trie_after(walks, edge, below, &trie));
        TRY(reduce(walks, trie, action, top, block, &found));
    } else
        TRY(shift(walks, &edge, below, (uint32_t)(action - 1), top, block, &found));
    TRY(trie_after(walks, asked, walks->taken, &trie));
    TRY(reduce(walks, trie, refused, top, 0, &test));
    return unless(walks, test, found, made);
}

/* What is found after the indent of a line. */
static Result lay(Walks *walks, const AskedEdge *edge, uint32_t below, uint32_t top, uint32_t block, Found *made) {
    *made = nothing;
    uint32_t column = edge->column, narrow = edge->narrow, key = walks->dedent, count = 0;
    AskedEdge token = {.mode = edge->mode, .refused = NONE};
    if (edge->key != token_count(walks) + 1) {
        if (!block || walks->indent == NONE)
            return CANNOT;
        const OpenBlock *last = &walks->blocks[block];
        if (row_has(walks, top, walks->indent)) {
            if (column <= last->column || narrow <= last->narrow)
                return DONE;
            key = walks->indent;
            count = 1;
            TRY(block_of(walks, block, column, narrow, &block));
        } else if (last->column != column || last->narrow != narrow) {
            for (; block && walks->blocks[block].column > column; block = walks->blocks[block].parent)
                count++;
            if (!block)
                return CANNOT;
            if (!count || walks->blocks[block].column != column || walks->blocks[block].narrow != narrow)
                return DONE;
        }
    }
    token.key = key;
    for (; count; count--)
        TRY(trie_after(walks, token, below, &below));
    return ask_trie(walks, below, top, block, made);
}

static int has_absent(const Walks *walks, const AskedEdge *edge, uint32_t top) {
    for (uint32_t i = 0; i < edge->absent_count; i++)
        if (row_has(walks, top, walks->absent[edge->absent + i]))
            return 1;
    return 0;
}

/* What a branch of a trie leads to. A reduction is only noted: others may cause the same one. */
static Result walk_branch(Walks *walks, uint32_t number, uint32_t below, uint32_t top, uint32_t block) {
    AskedEdge edge = walks->edges[number];
    if (!row_has(walks, top, edge.key))
        return DONE;
    Found found;
    if (edge.is_laid) {
        TRY(lay(walks, &edge, below, top, block, &found));
        return add_part(walks, found);
    }
    int action = action_in(walks, top, edge.key);
    if (edge.refused != NONE) {
        int refused = action_in(walks, top, edge.refused);
        if (refused > 0 || has_absent(walks, &edge, top))
            return DONE;
        if (refused && refused != action) {
            TRY(unless_taken(walks, edge, below, action, refused, top, block, &found));
            return add_part(walks, found);
        }
        edge.absent_count = 0;
        if (!refused)
            edge.refused = NONE;
        TRY(edge_of(walks, edge, &number));
    }
    if (action > 0) {
        TRY(shift(walks, &edge, below, (uint32_t)(action - 1), top, block, &found));
        return add_part(walks, found);
    }
    ROOM_FOR(walks->reduced, walks->reduced_room, walks->reduced_count + 1);
    walks->reduced[walks->reduced_count++] = (Reduced){action, number, below};
    return DONE;
}

static Result walk_trie(Walks *walks, uint32_t trie, uint32_t top, uint32_t block, Found *made) {
    Walker *store = &walks->store;
    Trie one = store->tries[trie];
    walks->reduced_count = 0;
    TRY(add_part(walks, (Found){one.set, 0}));
    for (uint32_t i = 0; i < one.count; i++)
        TRY(walk_branch(walks, store->pairs[one.at + 2 * i], store->pairs[one.at + 2 * i + 1], top, block));
    for (size_t left = walks->reduced_count; left;) { /* as often as there are different reductions in a row of the tables */
        int action = walks->reduced[0].action;
        size_t kept = 0;
        store->scratch_count = 0;
        for (size_t i = 0; i < left; i++) {
            Reduced reduced = walks->reduced[i];
            if (reduced.action == action)
                TRY(scratch_append(store, (uint32_t[2]){reduced.edge, reduced.below}, 2));
            else
                walks->reduced[kept++] = reduced;
        }
        left = kept;
        uint32_t same;
        Found found;
        TRY(trie_of_pairs(walks, store->scratch, store->scratch_count / 2, &same));
        TRY(reduce(walks, same, action, top, block, &found));
        TRY(add_part(walks, found));
    }
    return unite(walks, 0, made);
}

/* What an item leads to with one more state. */
static Result walk_item(Walks *walks, uint32_t number, uint32_t below, Found *made) {
    Item item = walks->items[number];
    Found found;
    if (item.kind == PLACE && item.missing)
        return wait_at_place(walks, item.what, item.block, item.name, item.missing - 1, made);
    if (item.kind == PLACE) {
        uint32_t target;
        TRY(target_of(walks, below, item.name, &target));
        TRY(ask_trie(walks, item.what, target, item.block, &found));
        return go_on(walks, found, below, made);
    }
    TRY(go_on(walks, item.found, below, &found));
    if (item.kind == GUARD_OF_WHERE)
        return guard_where(walks, item.what, found, below, made);
    Found test;
    TRY(ask(walks, OF_OPEN, item.what, below, 0, &test));
    return unless(walks, test, found, made);
}

static Result walk_open(Walks *walks, uint32_t number, uint32_t below, Found *made) {
    Open open = walks->opens[number];
    Found found;
    for (uint32_t i = 0; i < open.count; i++) {
        TRY(ask(walks, OF_ITEM, walks->members[open.at + i], below, 0, &found));
        TRY(add_part(walks, found));
    }
    return unite(walks, 0, made);
}

static Result walk_wanted(Walks *walks) {
    while (walks->todo_count) {
        uint32_t number = walks->todo[walks->todo_count - 1];
        Answer answer = walks->answers[number];
        if (answer.is != KNOWN) {
            Found found;
            walks->answers[number].is = WAITING;
            walks->is_lacking = 0;
            walks->part_count = 0;
            if (answer.kind == OF_TRIE)
                TRY(walk_trie(walks, answer.what, answer.state, answer.block, &found));
            else
                TRY((answer.kind == OF_OPEN ? walk_open : walk_item)(walks, answer.what, answer.state, &found));
            if (walks->is_lacking)
                continue;
            walks->answers[number].found = found;
            walks->answers[number].is = KNOWN;
        }
        walks->todo_count--;
    }
    return DONE;
}

/* Answer a question. Where that fails, what waits is as if it had never been asked. */
static Result walk(Walks *walks, int kind, uint32_t what, uint32_t state, uint32_t block, Found *found) {
    uint32_t number = NONE;
    walks->todo_count = 0;
    Result result = answer_of(walks, kind, what, state, block, &number);
    if (result == DONE)
        result = want(walks, number);
    if (result == DONE)
        result = walk_wanted(walks);
    for (size_t i = 0; i < walks->todo_count; i++)
        if (walks->answers[walks->todo[i]].is == WAITING)
            walks->answers[walks->todo[i]].is = NEW;
    if (result == DONE)
        *found = walks->answers[number].found;
    return result;
}

Result walk_from(Walks *walks, uint32_t trie, uint32_t top, uint32_t block, Found *found) {
    int is_laid;
    TRY(trie_is_laid(walks, trie, &is_laid));
    return walk(walks, OF_TRIE, trie, top, is_laid ? block : 0, found);
}

Result walk_on_from(Walks *walks, uint32_t open, uint32_t below, Found *found) { return walk(walks, OF_OPEN, open, below, 0, found); }

Result walks_start(Walks *walks) {
    uint32_t empty, id = walks->size, set; /* an id that no vocabulary has, which says that a token has been taken */
    TRY(store_start(&walks->store, (size_t)walks->size + 1));
    TRY(set_of_few(&walks->store, &id, 1, &set));
    TRY(trie_of(&walks->store, set, NULL, 0, &walks->taken));
    TRY(open_of(walks, NULL, 0, &empty));
    return block_of(walks, NONE, 0, 0, &empty);
}
