/* The tries of states, made of walks and of the tries of other states. */

#include "mask.h"

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
        TRY(lexer_step(walker, state, symbol, &list));
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
    TRY(lexer_need_state(walker, counted[best], &is_known));
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
    TRY(lexer_step(walker, state, symbol, &list));
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
        TRY(lexer_step(walker, first->to, symbol, &list));
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
        TRY(trie_restrict(walker, walker->state_tries[target], set, &restricted));
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
    TRY(walk_reach(walker, 0, path, size, &place));
    return walker_add_run(walker, &walker->places[place].tries, trie, 0);
}

/* Whether the trie of a state is known; if not, it comes next. A state that waits for itself: CANNOT. */
static Result need_trie(Walker *walker, uint32_t state, int *is_known) {
    *is_known = walker->state_tries[state] != NONE;
    if (*is_known)
        return DONE;
    if (walker->is_open[state])
        return CANNOT;
    return walker_push(walker, state);
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
    TRY(walk_start(walker));
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
                    TRY(lexer_need_state(walker, todo.state, &is_known));
                    if (!is_known)
                        continue;
                    Span begun = walker->lists[walker->states[todo.state].begun];
                    for (uint32_t i = 0; i < begun.count; i++) {
                        Branch one = walker->branches[begun.at + i];
                        TRY(need_trie(walker, one.to, &is_known));
                        if (is_known) {
                            uint32_t first = NONE, set;
                            size_t kept = walker->run_count;
                            TRY(walker_add_run(walker, &first, node->start, node->size));
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
            TRY(lexer_step(walker, todo.state, node->symbol, &list));
            if (list == NULL)
                continue;
            if (list->count != 1 || walker->branches[list->at].size)
                return CANNOT;
            uint32_t to = walker->branches[list->at].to;
            if (!is_linked)
                TRY(walk_leave(walker, 0, to, node, node->own));
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
    TRY(lexer_need_state(walker, state, &is_known));
    if (!is_known)
        return DONE;
    const Forest *forest = &walker->forests[0];
    if (walker->states[state].flags & BEGINS_LINE) {
        size_t waiting = walker->stack_count;
        TRY(make_line(walker, state));
        if (walker->missing_count || walker->stack_count > waiting)
            return DONE;
        return walk_finish(walker, forest, &walker->state_tries[state]);
    }
    TRY(usual_of(walker, state, &usual));
    Span begun = walker->lists[walker->states[state].begun];
    for (uint32_t i = 0; i < begun.count; i++) {
        uint32_t at = walker->branches[begun.at + i].to, other;
        TRY(lexer_need_state(walker, at, &is_known));
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
        TRY(lexer_step(walker, state, symbol, &here));
        if (here == NULL || !here->count)
            continue;
        int decides = 0;
        if (usual != state) {
            TRY(lexer_step(walker, usual, symbol, &there));
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
    TRY(walk_start(walker));
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end)
        if (is_walked[forest->nodes[node].symbol])
            TRY(walk_node(walker, forest, state, node));
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
    return walk_finish(walker, forest, &walker->state_tries[state]);
}

/* Make the tries of states. What is missing is noted. */
Result make_states(Walker *walker, const uint32_t *states, size_t count) {
    TRY(forest_find_firsts(walker));
    for (size_t i = 0; i < count && !walker->missing_count; i++) {
        walker->stack_count = 0;
        memset(walker->is_open, 0, walker->state_count);
        TRY(walker_push(walker, states[i]));
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
Result make_walk(Walker *walker, uint32_t state, const Forest *forest, uint32_t *made) {
    TRY(walk_start(walker));
    for (int kind = 0; kind < 256; kind++)
        TRY(walk_leave(walker, 0, state, &forest->empty[kind], forest->empty[kind].own));
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end)
        TRY(walk_node(walker, forest, state, node));
    return walker->missing_count ? DONE : walk_finish(walker, forest, made);
}

/* The trie of a state whose ids lose a blank that they begin with. */
Result make_shorn(Walker *walker, uint32_t state, uint32_t blank, uint32_t *made) {
    const Forest *forest = &walker->forests[0];
    TRY(make_states(walker, &state, 1));
    if (walker->missing_count)
        return DONE;
    TRY(walk_start(walker));
    uint32_t others = NONE, set;
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end) {
        if (forest->nodes[node].symbol == blank && !forest->atomic[forest->nodes[node].kind]) {
            TRY(walk_arrive(walker, forest, 0, state, node));
            TRY(walk_todo(walker, forest));
        }
    }
    if (walker->missing_count)
        return DONE;
    for (uint32_t node = 0; node < forest->count; node = forest->nodes[node].end)
        if (forest->nodes[node].symbol != blank || forest->atomic[forest->nodes[node].kind])
            TRY(walker_add_run(walker, &others, forest->nodes[node].start, forest->nodes[node].size));
    TRY(set_of_runs(walker, forest, others, &set));
    TRY(add_link(walker, 0, 0, state, set));
    return walk_finish(walker, forest, made);
}
