/* LALR(1) tables, from the lines of text and the numbers that simpy_grammar.tables describes. */

#include "core.h"

#include <stdlib.h>

typedef struct {
    const char *at, *end;
} Span;

enum { MOST_CELLS = 1 << 24 };

/* Terminals have 8 bits, in which two more values have a meaning. */
typedef char terminals_fit[TERMINALS < NO_TERMINAL ? 1 : -1];

/* The next part of a span up to a separator, which is skipped; whether there was one. */
static int next_part(Span *rest, char separator, Span *part) {
    if (rest->at == NULL)
        return 0;
    const char *found = memchr(rest->at, separator, (size_t)(rest->end - rest->at));
    part->at = rest->at;
    part->end = found ? found : rest->end;
    rest->at = found ? found + 1 : NULL;
    return 1;
}

static int count_parts(Span span, char separator) {
    Span part;
    int count = 0;
    while (next_part(&span, separator, &part))
        count++;
    return count;
}

/* The number that a span is; -1 if it is none, or as large as `limit`. */
static int32_t number_in(Span span, int32_t limit) {
    int32_t value = 0;
    for (const char *at = span.at; at < span.end; at++) {
        if (*at < '0' || *at > '9')
            return -1;
        value = value * 10 + (*at - '0');
        if (value >= limit)
            return -1;
    }
    return span.at < span.end ? value : -1;
}

static char *copied(Span part) {
    size_t size = (size_t)(part.end - part.at);
    char *copy = malloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, part.at, size);
        copy[size] = 0;
    }
    return copy;
}

static Result read_tokens(Tables *tables, Span names, Span values) {
    Span part;
    for (int i = 0; next_part(&names, '\t', &part); i++) {
        if ((tables->token_names[i] = copied(part)) == NULL)
            return NO_MEMORY;
        if (strcmp(tables->token_names[i], "$END") == 0)
            tables->end = i;
    }
    for (int i = 0; next_part(&values, '\t', &part); i++) {
        size_t kind = (size_t)(part.end - part.at) >= 3 && memcmp(part.at, "str", 3) == 0 ? 3 : 2;
        if (i >= tables->tokens || (size_t)(part.end - part.at) < kind)
            return CANNOT;
        part.at += kind;
        Pattern *pattern = &tables->patterns[i];
        if ((pattern->text = copied(part)) == NULL)
            return NO_MEMORY;
        pattern->is_pattern = kind == 2;
        for (const char *from = part.at; from < part.end; from++) {
            char byte = *from;
            if (byte == '\\' && from + 1 < part.end) {
                from++;
                byte = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from;
            }
            pattern->text[pattern->size++] = byte;
        }
        pattern->text[pattern->size] = 0;
    }
    return DONE;
}

/* Finds terminals by their names. */
typedef struct {
    uint16_t slots[1024]; /* terminal + 1 */
} Names;

static unsigned slot_of(const char *name, size_t size) {
    unsigned hash = (unsigned)size;
    for (size_t i = 0; i < size; i++)
        hash = hash * 31 + (unsigned char)name[i];
    return hash % 1024;
}

static void fill_names(Names *names) {
    memset(names, 0, sizeof(*names));
    for (int i = 0; i < TERMINALS; i++) {
        unsigned slot = slot_of(terminal_name[i], strlen(terminal_name[i]));
        while (names->slots[slot])
            slot = (slot + 1) % 1024;
        names->slots[slot] = (uint16_t)(i + 1);
    }
}

static int terminal_of(const Names *names, Span part) {
    size_t size = (size_t)(part.end - part.at);
    for (unsigned slot = slot_of(part.at, size); names->slots[slot]; slot = (slot + 1) % 1024) {
        int i = names->slots[slot] - 1;
        if (strlen(terminal_name[i]) == size && memcmp(terminal_name[i], part.at, size) == 0)
            return i;
    }
    return -1;
}

static Result read_rules(Tables *tables, const Names *terminals, Span rules) {
    Span part;
    for (int i = 0; next_part(&rules, '\t', &part); i++) {
        Span numbers, name, length, terminal;
        numbers = part;
        if (!next_part(&numbers, ' ', &name) || !next_part(&numbers, ' ', &length) || !next_part(&numbers, ' ', &terminal))
            return CANNOT;
        int32_t is_name = number_in(name, tables->names), is_length = number_in(length, 256);
        int is_terminal = terminal.at == terminal.end ? NO_TERMINAL : terminal_of(terminals, terminal);
        if (is_name < 0 || is_length < 0 || is_terminal < 0)
            return CANNOT;
        tables->rule[i] = (Rule){(uint16_t)is_name, (uint8_t)is_length, (uint8_t)is_terminal};
    }
    return DONE;
}

static Result read_shifted(Tables *tables, const Names *terminals, Span shifted) {
    Span part;
    for (int i = 0; next_part(&shifted, '\t', &part); i++) {
        size_t size = (size_t)(part.end - part.at);
        int terminal = size == 0 ? T_PENDING : size == 1 && *part.at == '-' ? NO_TERMINAL : terminal_of(terminals, part);
        if (terminal < 0)
            return CANNOT;
        int is_dropped = terminal < TERMINALS && terminal_role[terminal] == ROLE_DROPPED;
        tables->raw[i] = (uint8_t)terminal;
        tables->shifted[i] = (uint8_t)(is_dropped ? NO_TERMINAL : terminal);
    }
    return DONE;
}

/* The next number of 4 bytes, the lowest first. */
static inline uint32_t next_word(Span *rest) {
    const unsigned char *bytes = (const unsigned char *)rest->at;
    rest->at += 4;
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Where the rows of the states begin, and the cells. Each row has all its columns among them. */
static Result read_rows(const Tables *tables, Span *rest, uint32_t count, int columns, uint32_t **starts, Cell **cells) {
    if (count < (uint32_t)columns)
        return CANNOT;
    *starts = malloc((size_t)tables->states * sizeof(uint32_t));
    *cells = malloc((size_t)count * sizeof(Cell));
    if (*starts == NULL || *cells == NULL)
        return NO_MEMORY;
    for (int state = 0; state < tables->states; state++) {
        uint32_t start = (*starts)[state] = next_word(rest);
        if (start > count || count - start < (uint32_t)columns)
            return CANNOT;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cell = next_word(rest);
        (*cells)[i] = (Cell){(uint16_t)cell, (int16_t)(cell >> 16)};
    }
    return DONE;
}

/* What the automaton relies on: a shift comes to a state that says what was shifted (at the end of a text nothing is), a reduction to one
   that does not; and what a lexeme is that the next token tells, any token tells at once. */
static Result check_actions(const Tables *tables, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int action = tables->actions[i].value, token = tables->actions[i].column;
        if (action > 0 && (action > tables->states || (tables->raw[action - 1] == NO_TERMINAL) != (token == tables->end)))
            return CANNOT;
        if (action < 0 && -1 - action >= tables->rules)
            return CANNOT;
    }
    for (int state = 0; state < tables->states; state++)
        for (int token = 0; tables->raw[state] == T_PENDING && token < tables->tokens; token++) {
            int action = action_of(tables, state, token);
            const Rule *rule = action < 0 ? &tables->rule[-1 - action] : NULL;
            if (action > 0 || (rule != NULL && (rule->length != 1 || rule->terminal == NO_TERMINAL)))
                return CANNOT;
        }
    return DONE;
}

static Result check_gotos(const Tables *tables, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int target = tables->gotos[i].value;
        if (target < 0 || target >= tables->states || tables->raw[target] != NO_TERMINAL)
            return CANNOT;
    }
    return DONE;
}

/* The actions and gotos; `counts` says how many cells they have. */
static Result read_states(Tables *tables, Span counts, Span rest) {
    Span part;
    uint32_t count[2] = {0, 0};
    for (int i = 0; next_part(&counts, '\t', &part); i++) {
        int32_t number = number_in(part, MOST_CELLS);
        if (i == 2 || number < 0)
            return CANNOT;
        count[i] = (uint32_t)number;
    }
    if ((size_t)(rest.end - rest.at) != 4 * (2 * (size_t)tables->states + count[0] + count[1]))
        return CANNOT;
    TRY(read_rows(tables, &rest, count[0], tables->tokens, &tables->acting, &tables->actions));
    TRY(read_rows(tables, &rest, count[1], tables->names, &tables->going, &tables->gotos));
    TRY(check_actions(tables, count[0]));
    return check_gotos(tables, count[1]);
}

static Result fill(Tables *tables, Span text) {
    Span tokens, values, names, rules, shifted, counts;
    if (!next_part(&text, '\n', &tokens) || !next_part(&text, '\n', &values) || !next_part(&text, '\n', &names) ||
        !next_part(&text, '\n', &rules) || !next_part(&text, '\n', &shifted) || !next_part(&text, '\n', &counts) || text.at == NULL)
        return CANNOT;
    tables->tokens = count_parts(tokens, '\t');
    tables->names = count_parts(names, '\t');
    tables->rules = count_parts(rules, '\t');
    tables->states = count_parts(shifted, '\t');
    if (tables->tokens > 4096 || tables->names > 4096 || tables->rules > 32000 || tables->states > 32000)
        return CANNOT;
    tables->token_names = calloc((size_t)tables->tokens, sizeof(char *));
    tables->patterns = calloc((size_t)tables->tokens, sizeof(Pattern));
    tables->rule = calloc((size_t)tables->rules, sizeof(Rule));
    tables->shifted = calloc((size_t)tables->states, 1);
    tables->raw = calloc((size_t)tables->states, 1);
    if (!tables->token_names || !tables->patterns || !tables->rule || !tables->shifted || !tables->raw)
        return NO_MEMORY;
    tables->end = -1;
    TRY(read_tokens(tables, tokens, values));
    Names terminals;
    fill_names(&terminals);
    TRY(read_rules(tables, &terminals, rules));
    TRY(read_shifted(tables, &terminals, shifted));
    if (tables->end < 0 || tables->raw[0] != NO_TERMINAL)
        return CANNOT; /* nothing has been shifted in the first state */
    return read_states(tables, counts, text);
}

Result tables_make(Tables **made, const char *data, size_t size) {
    *made = calloc(1, sizeof(Tables));
    if (*made == NULL)
        return NO_MEMORY;
    Result result = fill(*made, (Span){data, data + size});
    if (result != DONE) {
        tables_free(*made);
        *made = NULL;
    }
    return result;
}

void tables_free(Tables *tables) {
    if (tables == NULL)
        return;
    for (int i = 0; i < tables->tokens; i++) {
        if (tables->token_names != NULL)
            free(tables->token_names[i]);
        if (tables->patterns != NULL)
            free(tables->patterns[i].text);
    }
    free(tables->token_names);
    free(tables->patterns);
    free(tables->rule);
    free(tables->acting);
    free(tables->actions);
    free(tables->going);
    free(tables->gotos);
    free(tables->shifted);
    free(tables->raw);
    free(tables);
}

int token_named(const Tables *tables, const char *name) {
    for (int i = 0; i < tables->tokens; i++)
        if (strcmp(tables->token_names[i], name) == 0)
            return i;
    return -1;
}

int token_spelled(const Tables *tables, const char *text, size_t size) {
    for (int i = 0; i < tables->tokens; i++) {
        const Pattern *pattern = &tables->patterns[i];
        if (pattern->text != NULL && !pattern->is_pattern && pattern->size == size && memcmp(pattern->text, text, size) == 0)
            return i;
    }
    return -1;
}
