/* Oppen's queue: the end of a logical line that is held until it is known where it breaks. What transpiler.break_queue does.

   What is held is copied, as lexemes are gone when they have been written. A group goes when nobody uses it any more, so that
   memory stays a multiple of about one line, however long the logical line is. */

#include "layout.h"

#include <stdlib.h>

/* ----------------------------------------------------------------------------------------------------- line starts */

Result line_starts_make(LineStarts *starts, const char *indent, size_t indent_size, const char *base, size_t base_size) {
    if (indent_size > LONGEST_INDENT || base_size > LONGEST_INDENT)
        return CANNOT;
    starts->base_size = base_size;
    starts->indent_size = indent_size;
    starts->base_width = (int64_t)characters(base, base_size);
    starts->indent_width = (int64_t)characters(indent, indent_size);
    starts->depth = 1;
    TRY(buffer_add_byte(&starts->text, '\n'));
    TRY(buffer_add(&starts->text, base, base_size));
    return buffer_add(&starts->text, indent, indent_size);
}

Result add_line_start(LineStarts *starts, int depth, Buffer *out) {
    size_t indent_at = 1 + starts->base_size;
    while (starts->depth < depth) {
        TRY(buffer_reserve(&starts->text, starts->indent_size));
        TRY(buffer_add(&starts->text, starts->text.data + indent_at, starts->indent_size));
        starts->depth++;
    }
    return buffer_add(out, starts->text.data, indent_at + starts->indent_size * (size_t)depth);
}

/* ---------------------------------------------------------------------------------------------------------- groups */

Result group_new(BreakQueue *queue, int64_t start, int broken, uint32_t *made) {
    uint32_t group = queue->free_group;
    if (group != NO_GROUP)
        queue->free_group = queue->groups[group].users;
    else {
        void *groups = queue->groups;
        TRY(array_reserve(&groups, &queue->groups_room, queue->groups_made + 1, sizeof(Group)));
        queue->groups = groups;
        group = (uint32_t)queue->groups_made++;
        if (group == NO_GROUP)
            return CANNOT;
    }
    queue->groups[group] = (Group){start, NOWHERE, 1, (int8_t)broken, 0, 0};
    *made = group;
    return DONE;
}

static void group_use(BreakQueue *queue, uint32_t group) {
    if (group != NO_GROUP)
        queue->groups[group].users++;
}

void group_leave(BreakQueue *queue, uint32_t group) {
    if (group == NO_GROUP || --queue->groups[group].users)
        return;
    queue->groups[group].users = queue->free_group;
    queue->free_group = group;
}

Result groups_add(Groups *groups, uint32_t group) {
    void *items = groups->items;
    TRY(array_reserve(&items, &groups->room, groups->count + 1, sizeof(uint32_t)));
    groups->items = items;
    groups->items[groups->count++] = group;
    return DONE;
}

/* --------------------------------------------------------------------------------------------------------- writing */

static void begin_line(BreakQueue *queue, int level, int64_t place) {
    queue->newline = level;
    queue->has_gap = 0;
    queue->line_at = place;
    queue->shift = indent_width(queue->starts, queue->depth + level) - place;
}

static Result put(BreakQueue *queue, Piece piece) {
    if (queue->newline >= 0) {
        size_t blanks = 0;
        while (blanks < piece.size && piece.text[blanks] == ' ')
            blanks++;
        if (blanks == piece.size)
            return DONE;
        TRY(add_line_start(queue->starts, queue->depth + queue->newline, queue->out));
        queue->newline = -1;
        queue->is_commented = 0;
        queue->shift -= (int64_t)blanks;
        piece = (Piece){piece.text + blanks, piece.size - blanks};
    }
    if (!piece.size)
        return DONE;
    if (queue->has_gap)
        TRY(buffer_add_byte(queue->out, ' '));
    queue->has_gap = piece.text[piece.size - 1] == ' ';
    return buffer_add(queue->out, piece.text, piece.size - (size_t)queue->has_gap);
}

static Result put_break(BreakQueue *queue, const Item *item) {
    if (item->opens)
        TRY(put(queue, (Piece){"(", 1}));
    if (item->comma != NO_GROUP && queue->groups[item->comma].broken == 1)
        TRY(put(queue, (Piece){",", 1}));
    begin_line(queue, item->level, item->place + item->is_blank);
    return DONE;
}

/* ------------------------------------------------------------------------------------------------------- decisions */

static void limit_ended(BreakQueue *queue) {
    for (size_t i = 0; i < queue->ended.count; i++) {
        queue->groups[queue->ended.items[i]].limit = queue->total;
        group_leave(queue, queue->ended.items[i]);
    }
    queue->ended.count = 0;
}

/* Whether a break is known to be a line break. If it is known not to be one, its group says so or its place is flat. */
static int is_line_break(BreakQueue *queue, const Item *item) {
    Group *group = &queue->groups[item->group];
    if (item->place < queue->flat_until)
        return 0;
    if (group->broken == UNDECIDED) {
        if (group->limit != NOWHERE) {
            /* What does not begin on this line has been broken further inside already. */
            group->broken = group->start < queue->line_at || group->limit + group->comma + queue->shift > queue->width;
            if (!group->broken)
                queue->flat_until = group->limit;
        } else if (group->start < queue->line_at || queue->total + queue->shift > queue->width)
            group->broken = 1;
    }
    return group->broken == 1;
}

Result queue_decide(BreakQueue *queue) {
    for (; queue->first < queue->count; queue->first++) {
        const Item *item = &queue->items[queue->first];
        if (item->group == NO_GROUP) {
            TRY(put(queue, (Piece){queue->texts.data + queue->texts_at, item->size}));
            queue->texts_at += item->size;
            continue;
        }
        if (is_line_break(queue, item))
            TRY(put_break(queue, item));
        else if (queue->groups[item->group].broken == UNDECIDED && item->place >= queue->flat_until)
            break;
        else
            TRY(put(queue, (Piece){" ", item->is_blank}));
        group_leave(queue, item->group);
        group_leave(queue, item->comma);
    }
    if (queue->first == queue->count) {
        queue->first = queue->count = queue->texts_at = queue->texts.size = 0;
        return DONE;
    }
    /* What has been written goes when it is more than what has not, so that this takes no more time than the writing did. */
    if (queue->first > 32 && queue->first * 2 > queue->count) {
        queue->count -= queue->first;
        memmove(queue->items, queue->items + queue->first, queue->count * sizeof(Item));
        queue->first = 0;
    }
    if (queue->texts_at > 256 && queue->texts_at * 2 > queue->texts.size) {
        buffer_drop(&queue->texts, queue->texts_at);
        queue->texts_at = 0;
    }
    return DONE;
}

void queue_flatten(BreakQueue *queue) {
    for (size_t i = queue->first; i < queue->count; i++)
        if (queue->items[i].group != NO_GROUP && queue->groups[queue->items[i].group].broken == UNDECIDED)
            queue->groups[queue->items[i].group].broken = 0;
}

/* ---------------------------------------------------------------------------------------------------------- adding */

void queue_begin(BreakQueue *queue, int depth) {
    queue->depth = depth;
    queue->total = 0;
    queue->first = queue->count = queue->texts_at = queue->texts.size = 0;
    queue->groups_made = 0;
    queue->free_group = NO_GROUP;
    queue->ended.count = 0;
    queue->newline = -1;
    queue->shift = indent_width(queue->starts, depth);
    queue->line_at = queue->flat_until = 0;
    queue->is_commented = queue->has_gap = 0;
}

void queue_free(BreakQueue *queue) {
    free(queue->items);
    free(queue->groups);
    free(queue->ended.items);
    buffer_free(&queue->texts);
}

static Result hold(BreakQueue *queue, Item item) {
    if (queue->count == queue->room) {
        void *items = queue->items;
        TRY(array_reserve(&items, &queue->room, queue->count + 1, sizeof(Item)));
        queue->items = items;
    }
    queue->items[queue->count++] = item;
    return DONE;
}

Result queue_text(BreakQueue *queue, Piece piece) {
    queue->total += (int64_t)characters(piece.text, piece.size);
    if (!queue_holds(queue))
        return put(queue, piece);
    if (piece.size) {
        TRY(buffer_add(&queue->texts, piece.text, piece.size));
        TRY(hold(queue, (Item){.size = piece.size, .group = NO_GROUP, .comma = NO_GROUP}));
    }
    return queue->total + queue->shift > queue->width ? queue_decide(queue) : DONE;
}

Result queue_break(BreakQueue *queue, Item item) {
    item.place = queue->total;
    limit_ended(queue);
    queue->total += item.is_blank;
    if (!queue_holds(queue) && queue->groups[item.group].broken == 1)
        return put_break(queue, &item);
    TRY(hold(queue, item));
    group_use(queue, item.group);
    group_use(queue, item.comma);
    return queue_decide(queue);
}

Result queue_end_line(BreakQueue *queue) {
    limit_ended(queue);
    return queue_decide(queue);
}

Result queue_go_on(BreakQueue *queue, Piece piece) {
    if (queue->has_gap)
        TRY(buffer_add_byte(queue->out, ' '));
    queue->has_gap = 0;
    TRY(buffer_add(queue->out, piece.text, piece.size));
    size_t last = piece.size;
    while (piece.text[last - 1] != '\n')
        last--;
    queue->total += (int64_t)characters(piece.text, piece.size);
    queue->shift = (int64_t)characters(piece.text + last, piece.size - last) - queue->total;
    return DONE;
}

Result queue_comment(BreakQueue *queue, Piece piece, int level, int is_own_line) {
    if (is_own_line || queue->is_commented) {
        if (queue->newline >= 0)
            level = queue->newline;
        TRY(add_line_start(queue->starts, queue->depth + level, queue->out));
    } else
        TRY(buffer_add(queue->out, "  ", 2));
    TRY(buffer_add(queue->out, piece.text, piece.size));
    queue->is_commented = 1;
    begin_line(queue, level, queue->total);
    return DONE;
}

Result queue_element(BreakQueue *queue, Piece piece, int level) {
    TRY(add_line_start(queue->starts, queue->depth + level, queue->out));
    TRY(buffer_add(queue->out, piece.text, piece.size));
    queue->total += (int64_t)characters(piece.text, piece.size) + 1;
    queue->is_commented = 0;
    begin_line(queue, level, queue->total);
    return DONE;
}
