/* Forests, what is known of the lexer, and the walk of a state through a forest. */

#include "mask.h"

#include <stdlib.h>

/* --------------------------------------------------------------------------------------------------------- forests */

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

Result forest_make(const Walker *walker, Forest *forest, Entry *entries, size_t count) {
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

Result forest_find_firsts(Walker *walker) {
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
                TRY(walker_add_run(walker, &first, forest->nodes[node].start, forest->nodes[node].size));
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
Result lexer_learn(Walker *walker, Numbers numbers) {
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
Result lexer_need_state(Walker *walker, uint32_t state, int *is_known) {
    *is_known = walker->states[state].known == 1;
    if (walker->states[state].known == 0) {
        TRY(ask(walker, state, NONE));
        walker->states[state].known = 2;
    }
    return DONE;
}

/* Forget what has been asked for. What Python has not said since is asked for again when it is needed. */
void lexer_forget_missing(Walker *walker) {
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
Result lexer_step(Walker *walker, uint32_t state, uint32_t symbol, const Span **list) {
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
Result walk_reach(Walker *walker, uint32_t place, uint32_t path, uint32_t size, uint32_t *made) {
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
Result walk_leave(Walker *walker, uint32_t place, uint32_t state, const Node *node, uint32_t count) {
    if (!count)
        return DONE;
    int is_known;
    TRY(lexer_need_state(walker, state, &is_known));
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
        TRY(walker_add_run(walker, &walker->lefts[left].runs, node->start, count));
    return DONE;
}

/* What the ids of a node do where its symbol has led to a state. */
Result walk_arrive(Walker *walker, const Forest *forest, uint32_t place, uint32_t state, uint32_t number) {
    const Node *node = &forest->nodes[number];
    const uint64_t *below = forest->below + (size_t)number * walker->words, *stays = walker->stays + (size_t)state * walker->words;
    uint64_t moves = 0;
    for (size_t i = 0; i < walker->words; i++)
        moves |= below[i] & ~stays[i];
    if (!moves)
        return walk_leave(walker, place, state, node, node->size);
    TRY(walk_leave(walker, place, state, node, node->own));
    for (uint32_t child = number + 1; child < node->end; child = forest->nodes[child].end) {
        ROOM_FOR(walker->todo, walker->todo_room, walker->todo_count + 1);
        walker->todo[walker->todo_count++] = (Todo){place, state, child};
    }
    return DONE;
}

Result walk_on(Walker *walker, const Forest *forest, Todo todo, int is_atomic) {
    const Span *list;
    TRY(lexer_step(walker, todo.state, forest->nodes[todo.node].symbol, &list));
    if (list == NULL)
        return DONE;
    Span branches = *list;
    for (uint32_t i = 0; i < branches.count; i++) {
        Branch branch = walker->branches[branches.at + i];
        if (is_atomic) {
            int is_known;
            TRY(lexer_need_state(walker, branch.to, &is_known));
            if (!is_known || walker->states[branch.to].flags & IN_LITERAL)
                continue;
        }
        uint32_t place;
        TRY(descend(walker, todo.place, branch.path, branch.size, &place));
        if (place != NONE)
            TRY(walk_arrive(walker, forest, place, branch.to, todo.node));
    }
    return DONE;
}

Result walk_todo(Walker *walker, const Forest *forest) {
    while (walker->todo_count)
        TRY(walk_on(walker, forest, walker->todo[--walker->todo_count], 0));
    return DONE;
}

/* Add the ids of an uppermost node of a forest. */
Result walk_node(Walker *walker, const Forest *forest, uint32_t state, uint32_t node) {
    TRY(walk_on(walker, forest, (Todo){0, state, node}, forest->atomic[forest->nodes[node].kind]));
    return walk_todo(walker, forest);
}

Result walk_start(Walker *walker) {
    uint32_t root;
    walker->place_count = walker->left_count = walker->run_count = walker->todo_count = 0;
    index_clear(&walker->place_index);
    index_clear(&walker->left_index);
    return add_place(walker, NONE, NONE, &root);
}

/* The trie of what has been noted. */
Result walk_finish(Walker *walker, const Forest *forest, uint32_t *made) {
    for (uint32_t left = 0; left < walker->left_count; left++) {
        Left one = walker->lefts[left];
        if (one.is_dead)
            continue;
        uint32_t set, place;
        TRY(set_of_runs(walker, forest, one.runs, &set));
        Span list = walker->lists[walker->states[one.state].resolved];
        for (uint32_t i = 0; i < list.count; i++) {
            Branch ending = walker->branches[list.at + i];
            TRY(walk_reach(walker, one.place, ending.path, ending.size, &place));
            TRY(walker_add_run(walker, &walker->places[place].sets, set, 0));
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
            TRY(walker_add_run(walker, &walker->places[place].sets, trie.set, 0));
            for (uint32_t i = 0; i < trie.count; i++) {
                uint32_t edge = walker->pairs[trie.at + 2 * i], below = place_below(walker, place, edge);
                if (below == NONE)
                    TRY(add_place(walker, place, edge, &below));
                TRY(walker_add_run(walker, &walker->places[below].tries, walker->pairs[trie.at + 2 * i + 1], 0));
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
