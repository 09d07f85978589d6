/* LALR(1) tables, from the lines of text that simpy_grammar.tables describes. */

#include "core.h"

#include <stdlib.h>

typedef struct {
    const char *at, *end;
} Span;

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

/* The next number of a span of numbers and blanks, -1 at its end, -2 if it is none or too large. */
static inline int next_number(Span *rest) {
    const char *at = rest->at, *end = rest->end;
    while (at < end && *at == ' ')
        at++;
    rest->at = at;
    if (at == end)
        return -1;
    int value = 0;
    for (; at < end && *at >= '0' && *at <= '9' && value < 100000; at++)
        value = value * 10 + (*at - '0');
    int is_number = at > rest->at && value < 32767 && (at == end || *at == ' ');
    rest->at = at;
    return is_number ? value : -2;
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
        int is_name = next_number(&name), is_length = next_number(&length);
        int is_terminal = terminal.at == terminal.end ? NO_TERMINAL : terminal_of(terminals, terminal);
        if (is_name < 0 || is_name >= tables->names || is_length < 0 || is_length > 255 || is_terminal < 0)
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

/* The sets of tokens: set i is the numbers from starts[i] to starts[i + 1]. */
typedef struct {
    uint16_t *numbers;
    uint32_t *starts;
    int count;
} Sets;

static Result read_sets(Sets *sets, const Tables *tables, Span text) {
    Span part;
    sets->count = count_parts(text, '\t');
    sets->numbers = malloc(((size_t)(text.end - text.at) / 2 + 1) * sizeof(uint16_t));
    sets->starts = malloc(((size_t)sets->count + 1) * sizeof(uint32_t));
    if (sets->numbers == NULL || sets->starts == NULL)
        return NO_MEMORY;
    uint32_t count = 0;
    for (int i = 0; next_part(&text, '\t', &part); i++) {
        sets->starts[i] = count;
        for (int token; (token = next_number(&part)) != -1;) {
            if (token < 0 || token >= tables->tokens)
                return CANNOT;
            sets->numbers[count++] = (uint16_t)token;
        }
        sets->starts[i + 1] = count;
    }
    return DONE;
}

/* What the automaton relies on is checked here, too: a shift comes to a state that says what was shifted (at the end of a text nothing
   is), a reduction to one that does not; and what a lexeme is that the next token tells, any token tells at once. */
static Result read_state(Tables *tables, int state, Span line, const Sets *sets) {
    Span shifts, reductions, gotos;
    if (!next_part(&line, ';', &shifts) || !next_part(&line, ';', &reductions) || !next_part(&line, ';', &gotos))
        return CANNOT;
    int16_t *action = tables->actions + (size_t)state * (size_t)tables->tokens;
    int16_t *go = tables->gotos + (size_t)state * (size_t)tables->names;
    int is_pending = tables->raw[state] == T_PENDING;
    for (int token; (token = next_number(&shifts)) != -1;) {
        int target = next_number(&shifts);
        if (token < 0 || token >= tables->tokens || target < 0 || target >= tables->states)
            return CANNOT;
        if (is_pending || (tables->raw[target] == NO_TERMINAL) != (token == tables->end))
            return CANNOT;
        action[token] = (int16_t)(target + 1);
    }
    for (int rule; (rule = next_number(&reductions)) != -1;) {
        int set = next_number(&reductions);
        if (rule < 0 || rule >= tables->rules || set < 0 || set >= sets->count)
            return CANNOT;
        if (is_pending && (tables->rule[rule].length != 1 || tables->rule[rule].terminal == NO_TERMINAL))
            return CANNOT;
        for (uint32_t i = sets->starts[set]; i < sets->starts[set + 1]; i++)
            action[sets->numbers[i]] = (int16_t)(-1 - rule);
    }
    for (int name; (name = next_number(&gotos)) != -1;) {
        int target = next_number(&gotos);
        if (name < 0 || name >= tables->names || target < 0 || target >= tables->states || tables->raw[target] != NO_TERMINAL)
            return CANNOT;
        go[name] = (int16_t)target;
    }
    return DONE;
}

static Result fill(Tables *tables, Span text) {
    Span tokens, values, names, rules, shifted, groups, line;
    if (!next_part(&text, '\n', &tokens) || !next_part(&text, '\n', &values) || !next_part(&text, '\n', &names) ||
        !next_part(&text, '\n', &rules) || !next_part(&text, '\n', &shifted) || !next_part(&text, '\n', &groups) || text.at == NULL)
        return CANNOT;
    tables->tokens = count_parts(tokens, '\t');
    tables->names = count_parts(names, '\t');
    tables->rules = count_parts(rules, '\t');
    tables->states = count_parts(shifted, '\t');
    if (tables->tokens > 4096 || tables->names > 4096 || tables->rules > 32000 || tables->states > 32000 ||
        count_parts(text, '\n') != tables->states)
        return CANNOT;
    tables->token_names = calloc((size_t)tables->tokens, sizeof(char *));
    tables->patterns = calloc((size_t)tables->tokens, sizeof(Pattern));
    tables->rule = calloc((size_t)tables->rules, sizeof(Rule));
    tables->actions = calloc((size_t)tables->states * (size_t)tables->tokens, sizeof(int16_t));
    tables->gotos = malloc((size_t)tables->states * (size_t)tables->names * sizeof(int16_t));
    tables->shifted = calloc((size_t)tables->states, 1);
    tables->raw = calloc((size_t)tables->states, 1);
    if (!tables->token_names || !tables->patterns || !tables->rule || !tables->actions || !tables->gotos || !tables->shifted || !tables->raw)
        return NO_MEMORY;
    tables->end = -1;
    TRY(read_tokens(tables, tokens, values));
    Names terminals;
    fill_names(&terminals);
    TRY(read_rules(tables, &terminals, rules));
    TRY(read_shifted(tables, &terminals, shifted));
    if (tables->raw[0] != NO_TERMINAL)
        return CANNOT; /* nothing has been shifted in the first state */
    memset(tables->gotos, 0xFF, (size_t)tables->states * (size_t)tables->names * sizeof(int16_t)); /* -1 everywhere */
    Sets sets = {0};
    Result result = tables->end < 0 ? CANNOT : read_sets(&sets, tables, groups);
    for (int state = 0; result == DONE && next_part(&text, '\n', &line); state++)
        result = read_state(tables, state, line, &sets);
    free(sets.numbers);
    free(sets.starts);
    return result;
}

Result tables_make(Tables **made, const char *text, size_t size) {
    *made = calloc(1, sizeof(Tables));
    if (*made == NULL)
        return NO_MEMORY;
    Result result = fill(*made, (Span){text, text + size});
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
    free(tables->actions);
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
