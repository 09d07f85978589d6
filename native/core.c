/* Bytes that grow, lexemes, classes of bytes, and the table of terminals. */

#define TERMINAL_TABLES
#include "core.h"

#include <stdlib.h>

Result array_reserve(void **items, size_t *room, size_t count, size_t size) {
    if (count <= *room)
        return DONE;
    size_t wanted = *room + *room / 2 + 16;
    if (wanted < count)
        wanted = count;
    if (wanted > (size_t)-1 / 2 / size)
        return NO_MEMORY;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL)
        return NO_MEMORY;
    *items = grown;
    *room = wanted;
    return DONE;
}

Result buffer_reserve(Buffer *buffer, size_t more) {
    if (more > (size_t)-1 / 4 - buffer->size)
        return NO_MEMORY;
    void *data = buffer->data;
    TRY(array_reserve(&data, &buffer->room, buffer->size + more, 1));
    buffer->data = data;
    return DONE;
}

void buffer_free(Buffer *buffer) {
    free(buffer->data);
    *buffer = (Buffer){0};
}

void buffer_drop(Buffer *buffer, size_t count) {
    if (!count)
        return;
    buffer->size -= count;
    memmove(buffer->data, buffer->data + count, buffer->size);
}

void stream_free(Stream *stream) {
    free(stream->items);
    buffer_free(&stream->text);
    buffer_free(&stream->made);
    *stream = (Stream){0};
}

static Result reserve_one(Stream *stream) {
    void *items = stream->items;
    TRY(array_reserve(&items, &stream->room, stream->count + 1, sizeof(Lexeme)));
    stream->items = items;
    return DONE;
}

Result stream_add(Stream *stream, Lexeme lexeme) {
    if (stream->count == stream->room)
        TRY(reserve_one(stream));
    stream->items[stream->count++] = lexeme;
    return DONE;
}

Result stream_insert(Stream *stream, size_t index, Lexeme lexeme) {
    TRY(reserve_one(stream));
    memmove(stream->items + index + 1, stream->items + index, (stream->count - index) * sizeof(Lexeme));
    stream->items[index] = lexeme;
    stream->count++;
    return DONE;
}

void stream_delete(Stream *stream, size_t index) {
    stream->count--;
    memmove(stream->items + index, stream->items + index + 1, (stream->count - index) * sizeof(Lexeme));
}

void stream_drop(Stream *stream, size_t count) {
    stream->count -= count;
    if (count && stream->count)
        memmove(stream->items, stream->items + count, stream->count * sizeof(Lexeme));
    if (!stream->count)
        stream->made.size = 0;
}

#define N (NAME_BYTE | NAME_START_BYTE)
#define D (NAME_BYTE | DIGIT_BYTE)
#define B BLANK_BYTE
#define ROW16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
const unsigned char byte_class[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, B, 0, 0, B, 0, 0, 0, /* control characters */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    B, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* blank and signs */
    D, D, D, D, D, D, D, D, D, D, 0, 0, 0, 0, 0, 0,
    0, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, /* letters */
    N, N, N, N, N, N, N, N, N, N, N, 0, 0, 0, 0, N,
    0, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
    N, N, N, N, N, N, N, N, N, N, N, 0, 0, 0, 0, 0,
    ROW16(N), ROW16(N), ROW16(N), ROW16(N), ROW16(N), ROW16(N), ROW16(N), ROW16(N),
};
