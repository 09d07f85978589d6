/* How pieces of Python look: what a byte begins, and where blanks, numbers, words and strings end.

   A NUL stands after the text, so that loops over a class of bytes end there. */

#include "python_lexer.h"

void python_first_bytes(uint8_t first[256]) {
    static const struct {
        const char *bytes;
        uint8_t kind;
    } rows[] = {
        {" \t\f", BLANKS}, {"\n", LINE_END}, {"'\"", QUOTE},   {"#", HASH},  {"\\", BACKSLASH}, {"([{", OPEN},
        {")]}", CLOSE},    {":", COLON},     {";", SEMICOLON}, {",", COMMA}, {"~", TILDE},      {".", DOT},
        {"-+*/%@&|^<>=!", SIGN},
    };
    memset(first, BAD, 256);
    for (int byte = 0; byte < 256; byte++)
        first[byte] = byte_class[byte] & NAME_START_BYTE ? NAME : byte_class[byte] & DIGIT_BYTE ? DIGIT : BAD;
    for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++)
        for (const char *byte = rows[row].bytes; *byte; byte++)
            first[(unsigned char)*byte] = rows[row].kind;
}

size_t python_after_blanks(const char *data, size_t at) {
    for (;;) {
        if (is_blank(data[at]))
            at++;
        else if (data[at] == '\\' && data[at + 1] == '\n')
            at += 2;
        else
            return at;
    }
}

size_t python_line_feed_from(const char *data, size_t at, size_t length) {
    const char *found = memchr(data + at, '\n', length - at);
    return found ? (size_t)(found - data) : length;
}

size_t python_after_lines(const char *data, size_t at, size_t length, int with_comments) {
    for (;;) {
        if (is_blank(data[at]) || data[at] == '\n')
            at++;
        else if (data[at] == '\\' && data[at + 1] == '\n')
            at += 2;
        else if (with_comments && data[at] == '#')
            at = python_line_feed_from(data, at, length);
        else
            return at;
    }
}

const Word *python_find_word(const PythonTokens *k, const char *text, size_t size) {
    unsigned char letter = (unsigned char)text[0];
    if (letter >= 128 || size > 15 || !(k->word_sizes[letter] >> size & 1))
        return NULL;
    for (int i = k->word_first[letter]; i >= 0; i = k->words[i].next)
        if (k->words[i].size == size && memcmp(k->words[i].text, text, size) == 0)
            return &k->words[i];
    return NULL;
}

static size_t after_digits(const char *data, size_t at, int (*is_one)(char)) {
    for (;;) {
        if (is_one(data[at]))
            at++;
        else if (data[at] == '_' && is_one(data[at + 1]))
            at += 2;
        else
            return at;
    }
}

static int is_decimal(char byte) { return is_digit(byte); }
static int is_hexadecimal(char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'); }
static int is_octal(char byte) { return byte >= '0' && byte <= '7'; }
static int is_binary(char byte) { return byte == '0' || byte == '1'; }

size_t python_after_number(const char *data, size_t at) {
    if (data[at] == '0') {
        char letter = (char)(data[at + 1] | 0x20);
        int (*is_one)(char) = letter == 'x' ? is_hexadecimal : letter == 'o' ? is_octal : letter == 'b' ? is_binary : NULL;
        if (is_one && (is_one(data[at + 2]) || (data[at + 2] == '_' && is_one(data[at + 3]))))
            return after_digits(data, at + 2, is_one);
    }
    if (data[at] == '.')
        at = after_digits(data, at + 1, is_decimal);
    else {
        at = after_digits(data, at, is_decimal);
        if (data[at] == '.') {
            at++;
            if (is_digit(data[at]))
                at = after_digits(data, at, is_decimal);
        }
    }
    if (data[at] == 'e' || data[at] == 'E') {
        size_t digit = at + 1 + (data[at + 1] == '+' || data[at + 1] == '-');
        if (is_digit(data[digit]))
            at = after_digits(data, digit, is_decimal);
    }
    return at + (data[at] == 'j' || data[at] == 'J');
}

int python_prefix_kind(const char *text, size_t size) {
    char one = (char)(text[0] | 0x20), other = size == 2 ? (char)(text[1] | 0x20) : 0;
    if (size > 2)
        return 0;
    if (other && one != 'r') { /* the r first */
        char first = one;
        one = other;
        other = first;
        if (one != 'r')
            return 0;
    }
    if (!other)
        return one == 'f' || one == 't' ? FORMATTED : one == 'b' || one == 'r' || one == 'u' ? STRING : 0;
    return other == 'f' || other == 't' ? FORMATTED : other == 'b' ? STRING : 0;
}

size_t python_string_end(const char *data, size_t at, size_t length, int *may_come) {
    char quote = data[at];
    int triple = is_triple(data, at);
    size_t i = at + (triple ? 3 : 1);
    *may_come = 1;
    for (;;) {
        while (i < length && data[i] != quote && data[i] != '\\' && (triple || data[i] != '\n'))
            i++;
        if (i >= length)
            return 0;
        if (data[i] == '\\') {
            if (i + 1 >= length)
                return 0;
            i += 2;
        } else if (data[i] == '\n') {
            *may_come = 0;
            return 0;
        } else if (!triple)
            return i + 1;
        else if (is_triple(data, i))
            return i + 3;
        else
            i++;
    }
}
