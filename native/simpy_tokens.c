/* The tokens of the dialects of SimPy: a trie for what is spelled in one way, and a function for each pattern. */

#include "simpy_tokens.h"

#include <stdlib.h>

enum { BY_TRIE, BY_WORD, BY_ANGLE, BY_COLON, BY_DIGIT, BY_DOT, BY_BLANK, BY_QUOTE, BY_HASH };
enum { NO_PREFIX, STRING_PREFIX, FIELDS_PREFIX, RAW_FIELDS_PREFIX };

#define MARK "<comment>"
#define DEBUG "<debug>"

static int starts_with(const char *at, const char *end, const char *text, size_t size) {
    return (size_t)(end - at) >= size && memcmp(at, text, size) == 0;
}

/* -------------------------------------------------------------------------------------------------------- patterns */

const char *simpy_word_end(const char *at, const char *end) {
    if (at < end && is_name_start(*at))
        do
            at++;
        while (at < end && is_name_byte(*at));
    return at;
}

const char *simpy_alias_end(const char *at, const char *end, int *number) {
    if (end - at < 4 || at[0] != '<' || at[1] != 'n' || !is_digit(at[2]))
        return NULL;
    const char *digit = at + 2;
    for (*number = 0; digit < end && is_digit(*digit); digit++) {
        if (digit - at == 6 || (digit > at + 2 && at[2] == '0'))
            return NULL;
        *number = *number * 10 + (*digit - '0');
    }
    return digit < end && *digit == '>' ? digit + 1 : NULL;
}

/* Which quotes open here, as an index: 0 ', 1 ", 2 ''', 3 """. */
static int quotes_at(const char *at, const char *end) {
    int is_double = *at == '"';
    return end - at >= 3 && at[1] == at[0] && at[2] == at[0] ? 2 + is_double : is_double;
}

static size_t quotes_size(int quotes) { return quotes < 2 ? 1 : 3; }

/* The end of a string whose body begins at `at`. */
static const char *body_end(const char *at, const char *end, int quotes, Unclosed *unclosed) {
    const char quote = quotes & 1 ? '"' : '\'';
    const char *from = at;
    if (unclosed != NULL && unclosed->from[quotes] != NULL && unclosed->from[quotes] <= at && at <= unclosed->to[quotes])
        return NULL;
    if (quotes < 2)
        for (; at < end && *at != '\n'; at++) {
            if (*at == quote)
                return at + 1;
            if (*at == '\\' && ++at == end)
                break;
        }
    else
        for (; at < end; at++) {
            if (*at == quote && end - at >= 3 && at[1] == quote && at[2] == quote)
                return at + 3;
            if (*at == '\\' && ++at == end)
                break;
        }
    /* A body that begins after this one and before its end would meet the same: what is before it is no backslash, but a quote. */
    if (unclosed != NULL) {
        unclosed->from[quotes] = from;
        unclosed->to[quotes] = at;
    }
    return NULL;
}

static int prefix_kind(const char *at, size_t size) {
    if (size == 0)
        return STRING_PREFIX;
    char first = at[0] | 0x20, second = size == 2 ? at[1] | 0x20 : 0;
    int is_fields = first == 'f' || first == 't';
    if (size == 1)
        return is_fields ? FIELDS_PREFIX : first == 'r' || first == 'b' || first == 'u' ? STRING_PREFIX : NO_PREFIX;
    if (size > 2)
        return NO_PREFIX;
    if ((first == 'r' && (second == 'f' || second == 't')) || (is_fields && second == 'r'))
        return RAW_FIELDS_PREFIX;
    return (first == 'r' && second == 'b') || (first == 'b' && second == 'r') ? STRING_PREFIX : NO_PREFIX;
}

static const char *match_string(const char *at, const char *end, int detail) {
    (void)detail;
    const char *word = simpy_word_end(at, end);
    if (word == end || (*word != '\'' && *word != '"') || prefix_kind(at, (size_t)(word - at)) != STRING_PREFIX)
        return NULL;
    int quotes = quotes_at(word, end);
    return body_end(word + quotes_size(quotes), end, quotes, NULL);
}

static const char *match_opening(const char *at, const char *end, int detail) {
    const char *word = simpy_word_end(at, end);
    if (word == end || (*word != '\'' && *word != '"') || prefix_kind(at, (size_t)(word - at)) != (detail < 4 ? FIELDS_PREFIX : RAW_FIELDS_PREFIX))
        return NULL;
    int quotes = detail % 4, is_double = *word == '"';
    return is_double == (quotes & 1) && (quotes < 2 || quotes_at(word, end) == quotes) ? word + quotes_size(quotes) : NULL;
}

static const char *match_comment(const char *at, const char *end, int detail) {
    (void)detail;
    if (at == end || *at != '#')
        return NULL;
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    return line_end == NULL ? end : line_end + 1;
}

static const char *match_inner_comment(const char *at, const char *end, int detail) {
    if (!starts_with(at, end, MARK, sizeof(MARK) - 1))
        return NULL;
    at += sizeof(MARK) - 1;
    return match_comment(at + (at < end && *at == '\n'), end, detail);
}

static const char *digits_end(const char *at, const char *end) {
    while (at < end && (is_digit(*at) || *at == '_'))
        at++;
    return at;
}

static int is_digit_of(char byte, int base) {
    char letter = byte | 0x20;
    return base == 16 ? is_digit(byte) || (letter >= 'a' && letter <= 'f') : byte >= '0' && byte < '0' + base;
}

static const char *match_number(const char *at, const char *end, int detail) {
    (void)detail;
    if (*at == '0' && end - at > 2) {
        char letter = at[1] | 0x20;
        int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
        const char *digit = at + 2;
        while (base && digit < end && (is_digit_of(*digit, base) || *digit == '_'))
            digit++;
        if (digit > at + 2)
            return digit;
    }
    if (is_digit(*at)) {
        at = digits_end(at, end);
        if (at < end && *at == '.') {
            at++;
            if (at < end && is_digit(*at))
                at = digits_end(at, end);
        }
    } else if (*at == '.' && end - at > 1 && is_digit(at[1]))
        at = digits_end(at + 1, end);
    else
        return NULL;
    if (at < end && (*at | 0x20) == 'e') {
        const char *digit = at + 1;
        digit += digit < end && (*digit == '+' || *digit == '-');
        if (digit < end && is_digit(*digit))
            at = digits_end(digit, end);
    }
    return at + (at < end && (*at | 0x20) == 'j');
}

static const char *match_number_dot(const char *at, const char *end, int detail) {
    (void)detail;
    return end - at > 2 && at[0] == ' ' && at[1] == '.' && is_name_start(at[2]) ? at + 2 : NULL;
}

static const char *match_prefix(const char *at, const char *end, int detail) {
    (void)detail;
    const char *from = at;
    while (at < end && *at == '.')
        at++;
    return at == from ? NULL : at;
}

/* The end of what begins with a backslash in the text of a string with fields, at most at `end`; NULL if it is not that text. */
static const char *escape_end(const char *at, const char *end, int is_raw) {
    if (++at == end)
        return NULL;
    if (*at == '{' || *at == '}')
        return at;
    if (is_raw || *at != 'N' || at + 1 == end || at[1] != '{')
        return at + 1;
    for (at += 2; at < end && *at != '{' && *at != '\n'; at++)
        if (*at == '}')
            return at + 1;
    return NULL;
}

/* The text of a string with fields; `detail` says its quotes, and is 4 or more if it is raw. */
static const char *match_text(const char *at, const char *end, int detail) {
    const int quotes = detail % 4;
    const char quote = quotes & 1 ? '"' : '\'';
    const char *from = at;
    while (at < end) {
        const char *next = at + 1;
        if (*at == '\\')
            next = escape_end(at, end, detail >= 4);
        else if (*at == '{' || *at == '}')
            next = next < end && *next == *at ? next + 1 : NULL;
        else if (*at == quote)
            next = quotes < 2 || quotes_at(at, end) == quotes ? NULL : next;
        else if (*at == '\n' && quotes < 2)
            next = NULL;
        if (next == NULL)
            break;
        at = next;
    }
    return at == from ? NULL : at;
}

static const char *match_field(const char *at, const char *end, int detail) {
    (void)detail;
    return at == end || *at != '{' ? NULL : at + 1 + (end - at > 1 && at[1] == ' ');
}

static const char *match_verbatim(const char *at, const char *end, int detail) {
    (void)detail;
    const size_t size = sizeof(DEBUG) - 1;
    if (!starts_with(at, end, DEBUG, size) || starts_with(at + size, end, DEBUG, size))
        return NULL;
    for (at += size; (at = memchr(at, '<', (size_t)(end - at))) != NULL; at++)
        if (starts_with(at, end, DEBUG, size))
            return at + size;
    return NULL;
}

static const char *match_conversion(const char *at, const char *end, int detail) {
    (void)detail;
    if (at == end || *at != '!')
        return NULL;
    const char *from = ++at;
    while (at < end && (((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z') || *at == '_'))
        at++;
    return at == from ? NULL : at;
}

static const char *match_format(const char *at, const char *end, int detail) {
    (void)detail;
    const char *from = at;
    while (at < end && *at != '{' && *at != '}')
        at++;
    return at == from ? NULL : at;
}

#define TEXT(text) text, sizeof(text) - 1
#define NAME_START "[^\x00-@\\[-^`{-\x7f]"
#define NAME_CHAR "[^\x00-\\/:-@\\[-^`{-\x7f]"
#define KEYWORDS_BEGIN "(?!(?:"
#define KEYWORDS_END ")(?!" NAME_CHAR "))" NAME_START NAME_CHAR "*(?![^\x00-!#-&(-\\/:-@\\[-^`{-\x7f])"
#define ESCAPE "\\\\(?:N\\{[^{}\n]*\\}|N(?!\\{)|[^{}N]|(?=[{}]))"
#define RAW_ESCAPE "\\\\(?:[^{}]|(?=[{}]))"

/* The patterns that the functions above are. NAME holds the keywords; it is matched like a word. */
static const struct {
    const char *name, *pattern;
    size_t size;
    Matcher match;
    int detail;
} known[OWN_PATTERNS] = {
    {"NAME", TEXT(KEYWORDS_END), NULL, 0},
    {"NUMBER",
     TEXT("0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\\.?(?:[0-9][0-9_]*)?|\\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?[jJ]?"),
     match_number, 0},
    {"NUMBER_DOT", TEXT(" \\.(?=" NAME_START ")"), match_number_dot, 0},
    {"STRING",
     TEXT("(?:[rR][bB]?|[bB][rR]?|[uU])?(?:\"\"\"[^\"\\\\]*(?:(?:\\\\(?:.|\n)|\"(?!\"\"))[^\"\\\\]*)*\"\"\"|'''[^'\\\\]*(?:(?:\\\\(?:.|\n)|'(?!''))"
          "[^'\\\\]*)*'''|\"(?!\"\")[^\"\\\\\n]*(?:\\\\(?:.|\n)[^\"\\\\\n]*)*\"|'(?!'')[^'\\\\\n]*(?:\\\\(?:.|\n)[^'\\\\\n]*)*')"),
     match_string, 0},
    {"COMMENT", TEXT("#[^\n]*\n?"), match_comment, 0},
    {"INNER_COMMENT", TEXT("<comment>\n?#[^\n]*\n?"), match_inner_comment, 0},
    {"IMPORT_PREFIX", TEXT("\\.+"), match_prefix, 0},
    {"FSTRING_START_1", TEXT("[fFtT]'"), match_opening, 0},
    {"FSTRING_START_2", TEXT("[fFtT]\""), match_opening, 1},
    {"FSTRING_START_3", TEXT("[fFtT]'''"), match_opening, 2},
    {"FSTRING_START_6", TEXT("[fFtT]\"\"\""), match_opening, 3},
    {"RAW_FSTRING_START_1", TEXT("(?:[fFtT][rR]|[rR][fFtT])'"), match_opening, 4},
    {"RAW_FSTRING_START_2", TEXT("(?:[fFtT][rR]|[rR][fFtT])\""), match_opening, 5},
    {"RAW_FSTRING_START_3", TEXT("(?:[fFtT][rR]|[rR][fFtT])'''"), match_opening, 6},
    {"RAW_FSTRING_START_6", TEXT("(?:[fFtT][rR]|[rR][fFtT])\"\"\""), match_opening, 7},
    {"FSTRING_TEXT_1", TEXT("(?:[^{}\\\\'\n]+|\\{\\{|\\}\\}|" ESCAPE ")+"), match_text, 0},
    {"FSTRING_TEXT_2", TEXT("(?:[^{}\"\\\\\n]+|\\{\\{|\\}\\}|" ESCAPE ")+"), match_text, 1},
    {"FSTRING_TEXT_3", TEXT("(?:[^{}\\\\']+|\\{\\{|\\}\\}|'(?!'')|" ESCAPE ")+"), match_text, 2},
    {"FSTRING_TEXT_6", TEXT("(?:[^{}\"\\\\]+|\\{\\{|\\}\\}|\"(?!\"\")|" ESCAPE ")+"), match_text, 3},
    {"RAW_FSTRING_TEXT_1", TEXT("(?:[^{}\\\\'\n]+|\\{\\{|\\}\\}|" RAW_ESCAPE ")+"), match_text, 4},
    {"RAW_FSTRING_TEXT_2", TEXT("(?:[^{}\"\\\\\n]+|\\{\\{|\\}\\}|" RAW_ESCAPE ")+"), match_text, 5},
    {"RAW_FSTRING_TEXT_3", TEXT("(?:[^{}\\\\']+|\\{\\{|\\}\\}|'(?!'')|" RAW_ESCAPE ")+"), match_text, 6},
    {"RAW_FSTRING_TEXT_6", TEXT("(?:[^{}\"\\\\]+|\\{\\{|\\}\\}|\"(?!\"\")|" RAW_ESCAPE ")+"), match_text, 7},
    {"FIELD_VERBATIM", TEXT("<debug>(?:[^<]|<(?!debug>))+<debug>"), match_verbatim, 0},
    {"FIELD_CONVERSION", TEXT("![A-Za-z_]+"), match_conversion, 0},
    {"FORMAT_TEXT", TEXT("[^{}]+"), match_format, 0},
};
enum { FIRST_OPENING = 7 }; /* in that table */
/* FIELD_START is the only other pattern: a state tries it after all of these. */
#define FIELD_START "\\{ ?"

/* ------------------------------------------------------------------------------------------------------------ trie */

static Result add_place(SimPyTokens *tokens, size_t *place) {
    if (tokens->places == 60000)
        return CANNOT;
    if (tokens->places == tokens->places_room) {
        size_t room = tokens->places_room ? 2 * tokens->places_room : 1024;
        uint16_t *next = realloc(tokens->next, room * tokens->columns * sizeof(uint16_t));
        if (next == NULL)
            return NO_MEMORY;
        tokens->next = next;
        int16_t *spelled = realloc(tokens->spelled, room * sizeof(int16_t));
        if (spelled == NULL)
            return NO_MEMORY;
        tokens->spelled = spelled;
        uint8_t *flags = realloc(tokens->place_flags, room);
        if (flags == NULL)
            return NO_MEMORY;
        tokens->place_flags = flags;
        tokens->places_room = room;
    }
    *place = tokens->places++;
    memset(tokens->next + *place * tokens->columns, 0, tokens->columns * sizeof(uint16_t));
    tokens->spelled[*place] = -1;
    tokens->place_flags[*place] = 0;
    return DONE;
}

static inline size_t next_place(const SimPyTokens *tokens, size_t place, char byte) {
    return tokens->next[place * tokens->columns + tokens->column[(unsigned char)byte]];
}

static Result add_text(SimPyTokens *tokens, const char *text, size_t size, int may_go_on, size_t *last) {
    size_t place = 0;
    for (size_t i = 0; i < size; i++) {
        if (i && may_go_on)
            tokens->place_flags[place] |= MAY_GO_ON;
        size_t next = next_place(tokens, place, text[i]);
        if (!next) {
            TRY(add_place(tokens, &next));
            tokens->next[place * tokens->columns + tokens->column[(unsigned char)text[i]]] = (uint16_t)next;
        }
        place = next;
    }
    if (may_go_on && size > tokens->longest)
        tokens->longest = size;
    *last = place;
    return DONE;
}

/* The longest literal that a text begins with. */
static Token longest_literal(const SimPyTokens *tokens, const char *at, const char *end) {
    Token found = {-1, at};
    size_t place = 0;
    while (at < end && (place = next_place(tokens, place, *at)) != 0) {
        at++;
        if (tokens->spelled[place] >= 0)
            found = (Token){tokens->spelled[place], at};
    }
    return found;
}

/* Whether a text is the beginning of an alias that the dialect has. */
static int alias_begun(const SimPyTokens *tokens, const char *at, const char *end) {
    if (!tokens->aliases || *at != '<')
        return 0;
    if (end - at == 1)
        return 1;
    if (end - at > 6 || at[1] != 'n' || (end - at > 3 && at[2] == '0'))
        return 0;
    int number = 0;
    for (at += 2; at < end; at++) {
        if (!is_digit(*at))
            return 0;
        number = number * 10 + (*at - '0');
    }
    return number < tokens->aliases;
}

int simpy_token_begun(const SimPyTokens *tokens, const char *at, const char *end) {
    if ((size_t)(end - at) >= tokens->longest || at == end)
        return 0;
    if (alias_begun(tokens, at, end))
        return 1;
    size_t place = 0;
    for (; at < end; at++)
        if ((place = next_place(tokens, place, *at)) == 0)
            return 0;
    return tokens->place_flags[place] & MAY_GO_ON;
}

/* ---------------------------------------------------------------------------------- tokens that read alike anywhere */

static const char *character_end(const char *at, const char *end) {
    do
        at++;
    while (at < end && ((unsigned char)*at & 0xC0) == 0x80);
    return at;
}

/* A literal, or one character that is no token. */
static Token literal_at(const SimPyTokens *tokens, const char *at, const char *end) {
    Token found = longest_literal(tokens, at, end);
    if (found.token < 0)
        found.end = character_end(at, end);
    return found;
}

/* What begins with a word and a quote after it. */
static Token quoted_at(const SimPyTokens *tokens, const char *at, const char *word, const char *end, Unclosed *unclosed) {
    int kind = prefix_kind(at, (size_t)(word - at)), quotes = quotes_at(word, end);
    if (kind == STRING_PREFIX) {
        const char *string = body_end(word + quotes_size(quotes), end, quotes, unclosed);
        if (string != NULL)
            return (Token){tokens->string, string};
    }
    Token literal = literal_at(tokens, at, end);
    if (literal.token < 0 && kind >= FIELDS_PREFIX)
        return (Token){tokens->openings[kind == RAW_FIELDS_PREFIX][quotes], word + quotes_size(quotes)};
    return literal;
}

static Token word_at(const SimPyTokens *tokens, const char *at, const char *end, Unclosed *unclosed) {
    const char *word = at;
    size_t place = 0;
    while (word < end && is_name_byte(*word) && (place = next_place(tokens, place, *word)) != 0)
        word++;
    while (word < end && is_name_byte(*word)) {
        place = 0;
        word++;
    }
    int is_keyword = place && tokens->place_flags[place] & IS_KEYWORD;
    if (word < end) {
        if (is_keyword) {
            Token longer = longest_literal(tokens, at, end);
            if (longer.end > word)
                return longer;
        }
        if (*word == '\'' || *word == '"')
            return quoted_at(tokens, at, word, end, unclosed);
    }
    int token = place ? tokens->spelled[place] : -1, number;
    token = token >= 0 || is_keyword ? token : tokens->name;
    const char *alias = tokens->aliases ? simpy_alias_end(word, end, &number) : NULL;
    if (alias != NULL) /* only a name has one */
        return (Token){token == tokens->name ? token : -1, alias};
    return (Token){token, word};
}

static Token angle_at(const SimPyTokens *tokens, const char *at, const char *end) {
    int number;
    const char *alias = tokens->aliases ? simpy_alias_end(at, end, &number) : NULL;
    if (alias != NULL)
        return (Token){tokens->name, alias};
    if (end - at > 2 && at[1] == 'c' && at[2] == 'o') {
        const char *comment = match_inner_comment(at, end, 0);
        if (comment != NULL)
            return (Token){tokens->inner_comment, comment};
    }
    if (tokens->angles_alike) {
        size_t place = next_place(tokens, 0, '<');
        const char *word = at + 1;
        for (; word < end && ((*word >= 'a' && *word <= 'z') || *word == '_'); word++)
            if (place)
                place = next_place(tokens, place, *word);
        if (word < end && *word == '>' && word > at + 1) {
            place = place ? next_place(tokens, place, '>') : 0;
            return (Token){place ? tokens->spelled[place] : -1, word + 1};
        }
    }
    return literal_at(tokens, at, end);
}

/* A block start that begins with a colon comes before other literals, even longer ones. */
static Token colon_at(const SimPyTokens *tokens, const char *at, const char *end) {
    size_t place = 0;
    for (const char *next = at; next < end && (place = next_place(tokens, place, *next)) != 0; next++) {
        int token = tokens->spelled[place];
        if (token >= 0 && tokens->flags[token] & ENDS_HEADER)
            return (Token){token, next + 1};
    }
    return literal_at(tokens, at, end);
}

Token simpy_token(const SimPyTokens *tokens, const char *at, const char *end, Unclosed *unclosed) {
    const char *found;
    switch (tokens->first[(unsigned char)*at]) {
    case BY_WORD:
        return word_at(tokens, at, end, unclosed);
    case BY_ANGLE:
        return angle_at(tokens, at, end);
    case BY_COLON:
        return colon_at(tokens, at, end);
    case BY_DIGIT:
        return (Token){tokens->number, match_number(at, end, 0)};
    case BY_DOT:
        found = match_number(at, end, 0);
        return found == NULL ? literal_at(tokens, at, end) : (Token){tokens->number, found};
    case BY_BLANK:
        found = match_number_dot(at, end, 0);
        return found == NULL ? literal_at(tokens, at, end) : (Token){tokens->number_dot, found};
    case BY_QUOTE:
        return quoted_at(tokens, at, at, end, unclosed);
    case BY_HASH:
        return (Token){tokens->comment, match_comment(at, end, 0)};
    default:
        return literal_at(tokens, at, end);
    }
}

/* ------------------------------------------------------------------------------------------- tokens by their state */

static const char *match_name(const SimPyTokens *tokens, const char *at, const char *end) {
    const char *word = at;
    size_t place = 0;
    if (!is_name_start(*at))
        return NULL;
    while (word < end && is_name_byte(*word) && (place = next_place(tokens, place, *word)) != 0)
        word++;
    if (place && tokens->place_flags[place] & IS_KEYWORD && (word == end || !is_name_byte(*word)))
        return NULL;
    word = simpy_word_end(at, end);
    return word < end && (*word == '\'' || *word == '"') ? NULL : word;
}

Token simpy_token_in(const SimPyTokens *tokens, const Tables *tables, int state, const char *at, const char *end) {
    for (size_t i = 0; i < OWN_PATTERNS; i++) {
        const OwnPattern *own = &tokens->patterns[i];
        if (!action_of(tables, state, own->token))
            continue;
        const char *found = own->match == NULL ? match_name(tokens, at, end) : own->match(at, end, own->detail);
        if (found != NULL)
            return (Token){own->token, found};
    }
    if (*at == '{' && tokens->field >= 0 && action_of(tables, state, tokens->field))
        return (Token){tokens->field, match_field(at, end, 0)};
    if (*at == '\'' || *at == '"') {
        int quotes = quotes_at(at, end), is_double = *at == '"';
        for (; quotes >= 0; quotes = quotes >= 2 ? is_double : -1)
            if (tokens->endings[quotes] >= 0 && action_of(tables, state, tokens->endings[quotes]))
                return (Token){tokens->endings[quotes], at + quotes_size(quotes)};
    }
    Token longest = {-1, at};
    size_t place = 0;
    while (at < end && (place = next_place(tokens, place, *at)) != 0) {
        at++;
        int token = tokens->spelled[place];
        if (token >= 0 && action_of(tables, state, token))
            longest = (Token){token, at};
    }
    return longest;
}

/* ---------------------------------------------------------------------------------------------------------- making */

/* Beginnings of tokens that are not literals, beside those of strings. */
static const char *const openers[] = {MARK "\n#", DEBUG, " .a"};
static const char *const prefixes[] = {"", "r", "b", "u", "f", "t", "rb", "br", "rf", "fr", "rt", "tr"};

static Result add_strings(SimPyTokens *tokens, const char *prefix) {
    size_t size = strlen(prefix), last;
    for (unsigned upper = 0; upper < 1u << size; upper++)
        for (int is_double = 0; is_double < 2; is_double++) {
            char text[8];
            for (size_t i = 0; i < size; i++)
                text[i] = upper >> i & 1 ? prefix[i] & ~0x20 : prefix[i];
            memset(text + size, is_double ? '"' : '\'', 3);
            TRY(add_text(tokens, text, size + 3, 1, &last));
        }
    return DONE;
}

static int is_literal(const Tables *tables, int token) {
    return tables->patterns[token].text != NULL && !tables->patterns[token].is_pattern && strncmp(tables->token_names[token], "FSTRING_END", 11) != 0;
}

static void add_columns(SimPyTokens *tokens, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (!tokens->column[(unsigned char)text[i]])
            tokens->column[(unsigned char)text[i]] = (uint8_t)tokens->columns++;
}

/* Add the words of the pattern of names, up to `end`, or only their bytes. */
static Result add_keywords(SimPyTokens *tokens, const char *at, const char *end, int to_trie) {
    while (at < end) {
        const char *word = at;
        size_t last;
        while (at < end && *at != '|')
            at++;
        if (!to_trie)
            add_columns(tokens, word, (size_t)(at - word));
        else {
            TRY(add_text(tokens, word, (size_t)(at - word), 0, &last));
            tokens->place_flags[last] |= IS_KEYWORD;
        }
        at += at < end;
    }
    return DONE;
}

static int is_in_angles(const Pattern *pattern) {
    if (pattern->size < 3 || pattern->text[0] != '<' || pattern->text[pattern->size - 1] != '>')
        return 0;
    for (size_t i = 1; i < pattern->size - 1; i++)
        if (!(pattern->text[i] >= 'a' && pattern->text[i] <= 'z') && pattern->text[i] != '_')
            return 0;
    return 1;
}

/* Find the patterns, and put those that a state tries into their order: longer ones first, then by name. */
static Result find_patterns(SimPyTokens *tokens, const Tables *tables) {
    int16_t index[OWN_PATTERNS];
    int found[OWN_PATTERNS];
    size_t size[OWN_PATTERNS];
    int count = 0;
    for (int i = 0; i < tables->tokens; i++)
        count += tables->patterns[i].text != NULL && tables->patterns[i].is_pattern;
    if (count != OWN_PATTERNS + 1 || (tokens->field = token_named(tables, "FIELD_START")) < 0)
        return CANNOT;
    const Pattern *pattern = &tables->patterns[tokens->field];
    if (!pattern->is_pattern || pattern->size != sizeof(FIELD_START) - 1 || memcmp(pattern->text, FIELD_START, pattern->size) != 0)
        return CANNOT;
    for (int i = 0; i < OWN_PATTERNS; i++) {
        found[i] = token_named(tables, known[i].name);
        if (found[i] < 0)
            return CANNOT;
        pattern = &tables->patterns[found[i]];
        size[i] = pattern->size;
        size_t before = i ? 0 : size[i] - known[i].size; /* the keywords before the pattern of a name */
        if (!pattern->is_pattern || size[i] < known[i].size || size[i] != before + known[i].size ||
            memcmp(pattern->text + before, known[i].pattern, known[i].size) != 0)
            return CANNOT;
        int at = i;
        for (; at && (size[index[at - 1]] < size[i] || (size[index[at - 1]] == size[i] && strcmp(known[index[at - 1]].name, known[i].name) > 0)); at--)
            index[at] = index[at - 1];
        index[at] = (int16_t)i;
    }
    for (int i = 0; i < OWN_PATTERNS; i++)
        tokens->patterns[i] = (OwnPattern){(int16_t)found[index[i]], (int16_t)known[index[i]].detail, known[index[i]].match};
    int *const ones[] = {&tokens->name, &tokens->number, &tokens->number_dot, &tokens->string, &tokens->comment, &tokens->inner_comment};
    for (size_t i = 0; i < sizeof(ones) / sizeof(*ones); i++)
        *ones[i] = found[i];
    for (int i = 0; i < 8; i++) {
        tokens->openings[i / 4][i % 4] = found[FIRST_OPENING + i];
        tokens->flags[found[FIRST_OPENING + i]] = OPENS_STRING;
    }
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"FSTRING_END_1", "FSTRING_END_2", "FSTRING_END_3", "FSTRING_END_6"};
        static const char *const texts[] = {"'", "\"", "'''", "\"\"\""};
        tokens->endings[i] = token_named(tables, names[i]);
        pattern = tokens->endings[i] < 0 ? NULL : &tables->patterns[tokens->endings[i]];
        if (pattern == NULL || pattern->text == NULL || strcmp(pattern->text, texts[i]) != 0)
            return CANNOT;
        tokens->flags[tokens->endings[i]] = ENDS_STRING;
    }
    tokens->flags[tokens->string] = SETTLES_AT_END;
    return DONE;
}

/* Which literals there are, and how they begin. */
static Result find_literals(SimPyTokens *tokens, const Tables *tables) {
    int is_single[256] = {0}, is_longer[256] = {0}, are_headers = 0, before_angles = 0;
    size_t last;
    for (int i = 0; i < tables->tokens; i++) {
        const Pattern *pattern = &tables->patterns[i];
        if (!is_literal(tables, i))
            continue;
        if (!pattern->size || strncmp(tables->token_names[i], "FSTRING_START_", 14) == 0 || is_digit(pattern->text[0]) || strchr("'\"#", pattern->text[0]) != NULL)
            return CANNOT; /* no dialect has such texts */
        int is_header = pattern->text[0] == ':' && pattern->size > 1;
        const char *name = tables->token_names[i];
        size_t name_size = strlen(name);
        is_header = is_header && name_size >= 11 && strcmp(name + name_size - 11, "BLOCK_START") == 0;
        if (!is_name_start(pattern->text[pattern->size - 1]))
            tokens->flags[i] |= SETTLES_AT_END;
        if (is_header)
            tokens->flags[i] |= ENDS_HEADER | SETTLES_AT_END;
        are_headers |= is_header;
        is_single[(unsigned char)pattern->text[0]] |= pattern->size == 1;
        is_longer[(unsigned char)pattern->text[0]] |= pattern->size > 1;
        if (!is_in_angles(pattern) && pattern->text[0] == '<')
            before_angles |= pattern->size == 1 || (pattern->text[1] >= 'a' && pattern->text[1] <= 'z') || pattern->text[1] == '_';
        TRY(add_text(tokens, pattern->text, pattern->size, 1, &last));
        if (tokens->spelled[last] >= 0)
            return CANNOT;
        tokens->spelled[last] = (int16_t)i;
    }
    tokens->angles_alike = !before_angles;
    for (int i = 0; i < 256; i++)
        tokens->first[i] = is_name_start((char)i) ? BY_WORD : is_digit((char)i) ? BY_DIGIT : BY_TRIE;
    tokens->first['.'] = BY_DOT;
    tokens->first[' '] = BY_BLANK;
    tokens->first['"'] = tokens->first['\''] = BY_QUOTE;
    tokens->first['#'] = BY_HASH;
    if (!is_single['<'] || is_longer['<'])
        tokens->first['<'] = BY_ANGLE;
    if (!are_headers)
        return DONE;
    tokens->first[':'] = BY_COLON;
    /* Which of two comes first where one begins with the other, no rule says. */
    for (int i = 0; i < tables->tokens; i++)
        for (int j = 0; j < tables->tokens; j++)
            if (i != j && tokens->flags[i] & tokens->flags[j] & ENDS_HEADER && tables->patterns[i].size <= tables->patterns[j].size &&
                memcmp(tables->patterns[i].text, tables->patterns[j].text, tables->patterns[i].size) == 0)
                return CANNOT;
    return DONE;
}

static Result fill(SimPyTokens *tokens, const Tables *tables) {
    if (tables->tokens > 30000 || (tokens->flags = calloc((size_t)tables->tokens, 1)) == NULL)
        return tokens->flags == NULL ? NO_MEMORY : CANNOT;
    TRY(find_patterns(tokens, tables));
    const Pattern *name = &tables->patterns[tokens->name];
    const char *keywords = name->text + sizeof(KEYWORDS_BEGIN) - 1, *keywords_end = name->text + name->size - (sizeof(KEYWORDS_END) - 1);
    if (keywords > keywords_end || memcmp(name->text, TEXT(KEYWORDS_BEGIN)) != 0)
        return CANNOT;
    tokens->columns = 1;
    for (int i = 0; i < tables->tokens; i++)
        if (is_literal(tables, i))
            add_columns(tokens, tables->patterns[i].text, tables->patterns[i].size);
    if (tokens->columns > 128)
        return CANNOT;
    add_columns(tokens, TEXT("rRbBuUfFtT'\""));
    for (size_t i = 0; i < sizeof(openers) / sizeof(*openers); i++)
        add_columns(tokens, openers[i], strlen(openers[i]));
    TRY(add_keywords(tokens, keywords, keywords_end, 0));
    if (tokens->columns > 256)
        return CANNOT; /* a column has 8 bits */
    size_t last;
    TRY(add_place(tokens, &last));
    for (size_t i = 0; i < sizeof(openers) / sizeof(*openers); i++)
        TRY(add_text(tokens, openers[i], strlen(openers[i]), 1, &last));
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
        TRY(add_strings(tokens, prefixes[i]));
    TRY(add_keywords(tokens, keywords, keywords_end, 1));
    TRY(find_literals(tokens, tables));
    tokens->colon = token_spelled(tables, ":", 1);
    tokens->horizon = tokens->longest;
    return DONE;
}

Result simpy_tokens_make(SimPyTokens **made, const Tables *tables) {
    *made = calloc(1, sizeof(SimPyTokens));
    if (*made == NULL)
        return NO_MEMORY;
    Result result = fill(*made, tables);
    if (result != DONE) {
        simpy_tokens_free(*made);
        *made = NULL;
    }
    return result;
}

Result simpy_tokens_imply(SimPyTokens *tokens, const Tables *tables, const char *ends, size_t size, const char *parameters, size_t parameters_size) {
    const char *last = ends + size;
    while (ends < last) {
        const char *end = memchr(ends, 0, (size_t)(last - ends));
        if (end == NULL)
            return CANNOT;
        int token = strcmp(ends, "COMMENT") == 0 ? tokens->comment : token_spelled(tables, ends, (size_t)(end - ends));
        if (token >= 0)
            tokens->flags[token] |= ENDS_BRACKETS;
        ends = end + 1;
    }
    const char *const texts[] = {")", "]", "}", parameters};
    for (int i = 0; i < 4; i++) {
        size_t text_size = i < 3 ? 1 : parameters_size;
        tokens->closers[i] = text_size ? token_spelled(tables, texts[i], text_size) : -1;
        if (text_size && tokens->closers[i] < 0)
            return CANNOT;
    }
    tokens->is_open = 1;
    return DONE;
}

Result simpy_tokens_alias(SimPyTokens *tokens, const Tables *tables, int count) {
    if (count < 0 || count > MOST_ALIASES)
        return CANNOT;
    if (!count)
        return DONE;
    for (int i = 0; i < tables->tokens; i++)
        for (size_t at = 0; is_literal(tables, i) && at + 2 < tables->patterns[i].size; at++)
            if (memcmp(tables->patterns[i].text + at, "<n", 2) == 0 && is_digit(tables->patterns[i].text[at + 2]))
                return CANNOT; /* no dialect has texts that may be taken for aliases */
    size_t longest = sizeof("<n0>") - 1;
    for (int last = count - 1; last > 9; last /= 10)
        longest++;
    tokens->aliases = count;
    tokens->margin = 2 + longest;
    if (longest > tokens->longest)
        tokens->longest = longest;
    tokens->horizon = 4 * tokens->margin > tokens->longest ? 4 * tokens->margin : tokens->longest; /* a character has 4 bytes at most */
    return DONE;
}

void simpy_tokens_free(SimPyTokens *tokens) {
    if (tokens == NULL)
        return;
    free(tokens->flags);
    free(tokens->next);
    free(tokens->spelled);
    free(tokens->place_flags);
    free(tokens);
}
