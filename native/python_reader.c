/* The reader of Python: the tokens of the lexer go to the automaton, and comments inside brackets to their place. */

#include "python.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------- what tokens are */

/* The patterns that the lexer has in its own words. */
#define ESCAPES "\\\\(?:N\\{[^{}\n]*\\}|N(?!\\{)|[^{}N]|(?=[{}]))"
#define RAW_ESCAPES "\\\\(?:[^{}]|(?=[{}]))"
static const struct {
    const char *name, *pattern;
} known_patterns[] = {
    {"STRING",
     "(?:[rR][bB]?|[bB][rR]?|[uU])?(?:\"\"\"[^\"\\\\]*(?:(?:\\\\(?:.|\n)|\"(?!\"\"))[^\"\\\\]*)*\"\"\""
     "|'''[^'\\\\]*(?:(?:\\\\(?:.|\n)|'(?!''))[^'\\\\]*)*'''"
     "|\"(?!\"\")[^\"\\\\\n]*(?:\\\\(?:.|\n)[^\"\\\\\n]*)*\"|'(?!'')[^'\\\\\n]*(?:\\\\(?:.|\n)[^'\\\\\n]*)*')"},
    {"FORMAT_TEXT", "[^{}]+"},
    {"FSTRING_TEXT_1", "(?:[^{}\\\\'\n]+|\\{\\{|\\}\\}|" ESCAPES ")+"},
    {"FSTRING_TEXT_2", "(?:[^{}\"\\\\\n]+|\\{\\{|\\}\\}|" ESCAPES ")+"},
    {"FSTRING_TEXT_3", "(?:[^{}\\\\']+|\\{\\{|\\}\\}|'(?!'')|" ESCAPES ")+"},
    {"FSTRING_TEXT_6", "(?:[^{}\"\\\\]+|\\{\\{|\\}\\}|\"(?!\"\")|" ESCAPES ")+"},
    {"RAW_FSTRING_TEXT_1", "(?:[^{}\\\\'\n]+|\\{\\{|\\}\\}|" RAW_ESCAPES ")+"},
    {"RAW_FSTRING_TEXT_2", "(?:[^{}\"\\\\\n]+|\\{\\{|\\}\\}|" RAW_ESCAPES ")+"},
    {"RAW_FSTRING_TEXT_3", "(?:[^{}\\\\']+|\\{\\{|\\}\\}|'(?!'')|" RAW_ESCAPES ")+"},
    {"RAW_FSTRING_TEXT_6", "(?:[^{}\"\\\\]+|\\{\\{|\\}\\}|\"(?!\"\")|" RAW_ESCAPES ")+"},
};

static const int quotes[] = {1, 2, 3, 6}; /* as the names of the tokens have them */

static int16_t spelled(const Tables *tables, const char *text) { return (int16_t)token_spelled(tables, text, strlen(text)); }

/* A token that has to be there. */
static int16_t needed(const Tables *tables, const char *text, int is_name, int *missing) {
    int16_t token = is_name ? (int16_t)token_named(tables, text) : spelled(tables, text);
    *missing |= token < 0;
    return token;
}

static int is_letter(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); }

/* Add a word of the terminal table, or what a second terminal says about it. */
static Result add_word(PythonTokens *tokens, const Tables *tables, const char *text, size_t size, int statement, int is_clause) {
    static const struct {
        const char *text;
        int which, is_soft;
    } special[] = {
        {"def", WORD_DEF, 0},       {"with", WORD_WITH, 0},     {"from", WORD_FROM, 0}, {"except", WORD_EXCEPT, 0},
        {"match", WORD_MATCH, 1},   {"case", WORD_CASE, 1},     {"type", WORD_TYPE, 1}, {"lazy", WORD_LAZY, 1},
        {"lambda", WORD_LAMBDA, 0}, {"not", WORD_NOT, 0},       {"is", WORD_IS, 0},
    };
    Word *word = NULL;
    for (int i = 0; i < tokens->word_count && word == NULL; i++)
        if (tokens->words[i].size == size && memcmp(tokens->words[i].text, text, size) == 0)
            word = &tokens->words[i];
    if (word == NULL) {
        if (tokens->word_count == MOST_WORDS || size > 14)
            return CANNOT;
        unsigned char letter = (unsigned char)text[0];
        char key[16] = "^";
        memcpy(key + 1, text, size);
        word = &tokens->words[tokens->word_count];
        word->text = text;
        word->size = (uint8_t)size;
        word->next = tokens->word_first[letter];
        word->plain = (int16_t)token_spelled(tables, text, size);
        word->begins = spelled(tables, key);
        for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
            if (strcmp(special[i].text, key + 1) == 0) {
                word->which = (uint8_t)special[i].which;
                word->is_soft = (uint8_t)special[i].is_soft;
            }
        if (word->is_soft)
            word->plain = tokens->name;
        tokens->word_first[letter] = (int8_t)tokens->word_count++;
        tokens->word_sizes[letter] = (uint16_t)(tokens->word_sizes[letter] | 1u << size);
    }
    if (statement)
        word->statement = (uint8_t)statement;
    word->is_clause |= is_clause && !word->is_soft;
    return DONE;
}

static Result add_words(PythonTokens *tokens, const Tables *tables) {
    memset(tokens->word_first, -1, sizeof(tokens->word_first));
    for (int terminal = 0; terminal < TERMINALS; terminal++) {
        int role = terminal_role[terminal], count = 0;
        int statement = role == ROLE_PREFIX                                                      ? BEGINS_PREFIX
                        : role == ROLE_STATEMENT || role == ROLE_IMPORT                          ? BEGINS_SIMPLE
                        : role == ROLE_DEFINITION || role == ROLE_HEADER || role == ROLE_CLAUSE  ? BEGINS_COMPOUND
                                                                                                 : BEGINS_NOTHING;
        for (const char *at = terminal_python[terminal]; *at;) {
            size_t size = 0;
            int is_word = 1;
            for (; at[size] && at[size] != ' '; size++)
                is_word &= is_letter(at[size]);
            if (size && is_word)
                TRY(add_word(tokens, tables, at, size, count == 0 ? statement : BEGINS_NOTHING, count == 0 && role == ROLE_CLAUSE));
            count += size > 0;
            at += size + (at[size] == ' ');
        }
    }
    return DONE;
}

static void add_signs(PythonTokens *tokens, const Tables *tables) {
    for (const char *byte = "()[]{},;~-+*/%@&|^<>=!:."; *byte; byte++) {
        Sign *sign = &tokens->signs[(unsigned char)*byte];
        char text[4] = {*byte, 0, 0, 0};
        sign->can_equal = strchr("-+*/%@&|^<>=!", *byte) != NULL;
        sign->can_double = strchr("*/<>", *byte) != NULL;
        sign->alone = spelled(tables, text);
        text[1] = '=';
        sign->with_equals = spelled(tables, text);
        text[1] = *byte;
        sign->twice = spelled(tables, text);
        text[2] = '=';
        sign->twice_with_equals = spelled(tables, text);
    }
}

static Result fill(PythonTokens *tokens, const Tables *tables) {
    for (size_t i = 0; i < sizeof(known_patterns) / sizeof(*known_patterns); i++) {
        int token = token_named(tables, known_patterns[i].name);
        if (token < 0 || !tables->patterns[token].is_pattern || strcmp(tables->patterns[token].text, known_patterns[i].pattern) != 0)
            return CANNOT;
    }
    int missing = 0;
    const struct {
        int16_t *token;
        const char *text;
        int is_name;
    } rows[] = {
        {&tokens->name, "NAME", 1},
        {&tokens->number, "NUMBER", 1},
        {&tokens->string, "STRING", 1},
        {&tokens->number_dot, "NUMBER_DOT", 1},
        {&tokens->comment, "COMMENT", 1},
        {&tokens->inner_comment, "INNER_COMMENT", 1},
        {&tokens->field_start, "FIELD_START", 1},
        {&tokens->field_verbatim, "FIELD_VERBATIM", 1},
        {&tokens->field_conversion, "FIELD_CONVERSION", 1},
        {&tokens->format_text, "FORMAT_TEXT", 1},
        {&tokens->import_prefix, "IMPORT_PREFIX", 1},
        {&tokens->line_sep, "NEWLINE", 0},
        {&tokens->indent, "INDENT", 0},
        {&tokens->dedent, "DEDENT", 0},
        {&tokens->concat, "CONCAT", 0},
        {&tokens->comma, ",", 0},
        {&tokens->dot, ".", 0},
        {&tokens->star, "*", 0},
        {&tokens->colon, ":", 0},
        {&tokens->arrow, "->", 0},
        {&tokens->ellipsis, "...", 0},
        {&tokens->walrus, ":=", 0},
        {&tokens->close_brace, "}", 0},
        {&tokens->for_, "for", 0},
        {&tokens->yield_, "yield", 0},
        {&tokens->as, "as", 0},
        {&tokens->import, "import", 0},
        {&tokens->begin_with, "^with", 0},
        {&tokens->begin_future, "^from __future__ import", 0},
        {&tokens->begin_except_star, "^except*", 0},
        {&tokens->begin_match, "^match", 0},
        {&tokens->begin_decorator, "^@", 0},
        {&tokens->with_open, "with(", 0},
        {&tokens->with_close, "with)", 0},
        {&tokens->with_around, "with", 0},
        {&tokens->import_open, "import(", 0},
        {&tokens->import_close, "import)", 0},
        {&tokens->empty_parameters, "()", 0},
        {&tokens->not_in, "not in", 0},
        {&tokens->is_not, "is not", 0},
        {&tokens->string_end[1], "'", 0},
        {&tokens->string_end[2], "\"", 0},
        {&tokens->string_end[3], "'''", 0},
        {&tokens->string_end[6], "\"\"\"", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        *rows[i].token = needed(tables, rows[i].text, rows[i].is_name, &missing);
    for (int raw = 0; raw < 2; raw++)
        for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++) {
            int quote = quotes[i];
            char name[] = "RAW_FSTRING_START_0", *from = raw ? name : name + 4;
            name[sizeof(name) - 2] = (char)('0' + quote);
            tokens->string_start[raw][quote] = needed(tables, from, 1, &missing);
            char text[] = "RAW_FSTRING_TEXT_0";
            from = raw ? text : text + 4;
            text[sizeof(text) - 2] = (char)('0' + quote);
            tokens->string_text[raw][quote] = needed(tables, from, 1, &missing);
        }
    if (missing || tables->tokens > 32000)
        return CANNOT;
    python_first_bytes(tokens->first);
    add_signs(tokens, tables);
    return add_words(tokens, tables);
}

Result python_tokens_make(PythonTokens **made, const Tables *tables) {
    *made = calloc(1, sizeof(PythonTokens));
    if (*made == NULL)
        return NO_MEMORY;
    Result result = fill(*made, tables);
    if (result != DONE) {
        python_tokens_free(*made);
        *made = NULL;
    }
    return result;
}

void python_tokens_free(PythonTokens *tokens) { free(tokens); }

/* ---------------------------------------------------------------------------------------------------------- reader */

/* Let a lexeme have the text that a token is made from. */
static Result make_text(PythonReader *r, const Token *token, Lexeme *lexeme) {
    Stream *stream = &r->reader.automaton.stream;
    Buffer *made = &stream->made;
    const char *source = stream->text.data, *text;
    size_t first = made->size;
    lexeme->is_made = 1;
    switch (token->form) {
    case FORM_EMPTY:
        break;
    case FORM_COMMENT:
        text = source + (token->at - stream->base);
        TRY(buffer_add(made, text, token->size));
        TRY(buffer_add_byte(made, '\n'));
        break;
    case FORM_VERBATIM: {
        static const char mark[] = "<debug";
        const char *at = source + (token->at - stream->base), *end = at + token->size;
        TRY(buffer_add(made, "<debug>", 7));
        while (at < end) { /* a mark in the text gets a backslash */
            const char *found = memchr(at, '<', (size_t)(end - at));
            const char *next = found ? found + 1 : end;
            int is_mark = found && end - found >= 6 && memcmp(found, mark, 6) == 0;
            if (is_mark)
                next = found + 6;
            TRY(buffer_add(made, at, (size_t)(next - at)));
            if (is_mark)
                TRY(buffer_add_byte(made, '\\'));
            at = next;
        }
        TRY(buffer_add(made, "<debug>", 7));
        break;
    }
    case FORM_DOTS:
        for (uint32_t i = 0; i < token->size; i++)
            TRY(buffer_add_byte(made, '.'));
        break;
    default:
        text = python_form_text[token->form];
        TRY(buffer_add(made, text, strlen(text)));
    }
    if (made->size > LARGEST_TEXT)
        return CANNOT;
    lexeme->at = (uint32_t)first;
    lexeme->size = (uint32_t)(made->size - first);
    return DONE;
}

static Result push_comment(PythonReader *r, const Comment *comment, int is_own, uint32_t start) {
    Stream *stream = &r->reader.automaton.stream;
    Buffer *made = &stream->made;
    size_t first = made->size;
    TRY(buffer_add(made, "<comment>\n", is_own ? 10 : 9));
    TRY(buffer_add(made, stream->text.data + (comment->at - stream->base), comment->size));
    TRY(buffer_add_byte(made, '\n'));
    if (made->size > LARGEST_TEXT)
        return CANNOT;
    Lexeme lexeme = {(uint32_t)first, (uint32_t)(made->size - first), start, 0, 1};
    Result result = automaton_push(&r->reader.automaton, r->tokens->inner_comment, lexeme);
    return result == CANNOT ? DONE : result;
}

/* Write the waiting comments, if the grammar takes them here and then this token. */
static Result place_comments(PythonReader *r, int token) {
    if (r->strings > 0)
        return DONE;
    int next[2] = {r->tokens->inner_comment, token};
    Result result = token < 0 ? CANNOT : automaton_accepts(&r->reader.automaton, next, 2);
    if (result != DONE)
        return result == CANNOT ? DONE : result;
    for (size_t i = 0; i < r->comment_count; i++) /* all but the first on lines of their own, whatever they did before */
        TRY(push_comment(r, &r->comments[i], i > 0 || r->comments[i].is_own, i > 0 ? NO_START : r->comments[i].at));
    r->comment_count = 0;
    return DONE;
}

static Result wait_for_place(PythonReader *r, const Token *token) {
    void *comments = r->comments;
    TRY(array_reserve(&comments, &r->comment_room, r->comment_count + 1, sizeof(Comment)));
    r->comments = comments;
    if (!r->comment_count)
        r->strings = 0;
    r->comments[r->comment_count++] = (Comment){token->at, token->size, 0, token->form == FORM_OWN};
    return DONE;
}

/* Put the text of a field in the place of what has been read of it. */
static Result replace_field(PythonReader *r, const Token *token) {
    Automaton *automaton = &r->reader.automaton;
    TRY(automaton_accepts(automaton, (int[]){r->tokens->close_brace}, 1));
    if (!r->mark_count)
        return CANNOT;
    Mark mark = r->marks[--r->mark_count];
    automaton->depth = mark.depth;
    automaton->stream.count = mark.count;
    if (r->comment_count > mark.comments)
        r->comment_count = mark.comments;
    automaton->stream.items[mark.count - 1].start = NO_START;
    Lexeme lexeme = {0, 0, token->start, 0, 1};
    if (!r->mark_count) /* otherwise a field around this one takes its place */
        TRY(make_text(r, token, &lexeme));
    return automaton_push(automaton, token->token, lexeme);
}

static Result push_token(PythonReader *r, const Token *token) {
    const PythonTokens *k = r->tokens;
    Automaton *automaton = &r->reader.automaton;
    if (token->token == INNER_TOKEN)
        return wait_for_place(r, token);
    if (token->form == FORM_VERBATIM)
        return replace_field(r, token);
    size_t comments = r->comment_count;
    if (comments) {
        TRY(place_comments(r, token->token));
        for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++)
            r->strings += (token->token == k->string_start[0][quotes[i]] || token->token == k->string_start[1][quotes[i]]) -
                          (token->token == k->string_end[quotes[i]]);
    }
    if (token->token < 0)
        return CANNOT;
    Lexeme lexeme = {token->at, token->size, token->start, 0, 0};
    if (token->form != FORM_TEXT)
        TRY(make_text(r, token, &lexeme));
    TRY(automaton_push(automaton, token->token, lexeme));
    if (token->is_mark) {
        if (r->comment_count != comments)
            return CANNOT;
        void *marks = r->marks;
        TRY(array_reserve(&marks, &r->mark_room, r->mark_count + 1, sizeof(Mark)));
        r->marks = marks;
        r->marks[r->mark_count++] = (Mark){automaton->depth, automaton->stream.count, comments};
    }
    return DONE;
}

Result python_deliver(PythonReader *r, size_t count) {
    if (!count)
        return DONE;
    for (size_t i = 0; i < count; i++)
        TRY(push_token(r, &r->queue[i]));
    for (size_t i = count; i-- > 0;)
        if (r->queue[i].token != INNER_TOKEN) {
            r->last = r->queue[i].token;
            break;
        }
    r->position = r->queue[count - 1].end;
    r->taken += count;
    r->queue_count -= count;
    memmove(r->queue, r->queue + count, r->queue_count * sizeof(Token));
    if (r->soft != NOWHERE)
        r->soft -= count;
    return DONE;
}

/* -------------------------------------------------------------------------------------------------- text in pieces */

enum { LONG = 16384, PART = 8 }; /* text that waits for more is read again when a part of it more has arrived */

static size_t quotes_from(const char *data, size_t at, size_t length, char quote) {
    while (at + 2 < length) {
        const char *found = memchr(data + at, quote, length - 2 - at);
        if (found == NULL)
            break;
        at = (size_t)(found - data);
        if (data[at + 1] == quote && data[at + 2] == quote)
            return at;
        at++;
    }
    return NOWHERE;
}

/* Whether a string over several lines is open, and goes on after some more text, which stands from `from` on. */
static int stays_open(const PythonReader *r, size_t from) {
    const Buffer *text = &r->reader.automaton.stream.text;
    char quote = r->open_quote;
    if (!quote || from == text->size)
        return 0;
    /* the last two characters: of the last two pieces that wait, and of what is read before */
    size_t waiting = r->waiting_last + r->waiting_before, before = 0;
    waiting = waiting < 2 ? waiting : 2;
    while (before < waiting && text->data[from - 1 - before] == quote)
        before++;
    if (before == waiting)
        while (before < 2 && before - waiting < r->length && text->data[r->length - 1 - (before - waiting)] == quote)
            before++;
    size_t after = 0;
    while (after < 2 && from + after < text->size && text->data[from + after] == quote)
        after++;
    return before + after < 3 && quotes_from(text->data, from, text->size, quote) == NOWHERE;
}

/* Look whether a string over several lines begins where reading goes on, and does not end. */
static void note_open_string(PythonReader *r) {
    const char *data = r->reader.automaton.stream.text.data;
    const Bracket *top = r->bracket_count ? &r->brackets[r->bracket_count - 1] : NULL;
    r->open_quote = 0;
    if (top != NULL && top->kind == IN_STRING)
        return;
    size_t at = r->at;
    while (is_blank(data[at]))
        at++;
    char one = (char)(data[at] | 0x20), other = one == 'r' || one == 'u' || one == 'b' ? (char)(data[at + 1] | 0x20) : 0;
    if (other)
        at += 1 + ((one == 'r' && other == 'b') || (one == 'b' && other == 'r'));
    if ((data[at] == '\'' || data[at] == '"') && data[at + 1] == data[at] && data[at + 2] == data[at] &&
        quotes_from(data, at + 3, r->length, data[at]) == NOWHERE)
        r->open_quote = data[at];
}

static Result read_on(PythonReader *r, int final) {
    r->length = r->reader.automaton.stream.text.size;
    r->waiting_characters = r->waiting_last = r->waiting_before = 0;
    r->rest_characters = NOWHERE;
    TRY(python_lex(r, final));
    note_open_string(r);
    return python_deliver(r, final ? r->queue_count : python_settled_tokens(r));
}

static Result add_source(PythonReader *r, const char *text, size_t size) {
    Stream *stream = &r->reader.automaton.stream;
    if (size > LARGEST_TEXT - stream->base - stream->text.size)
        return CANNOT;
    TRY(buffer_reserve(&stream->text, size + 4));
    TRY(buffer_add(&stream->text, text, size));
    memset(stream->text.data + stream->text.size, 0, 4); /* loops end there */
    return DONE;
}

static Result python_feed(Reader *reader, const char *text, size_t size) {
    PythonReader *r = (PythonReader *)reader;
    const Buffer *source = &reader->automaton.stream.text;
    size_t from = source->size, rest = r->length - r->at;
    TRY(add_source(r, text, size));
    int waits = stays_open(r, from);
    if (!waits && rest > LONG) {
        if (r->rest_characters == NOWHERE)
            r->rest_characters = characters(source->data + r->at, rest);
        waits = r->rest_characters > LONG && PART * (r->waiting_characters + characters(text, size)) < r->rest_characters;
    }
    if (!waits)
        return read_on(r, 0);
    r->waiting_characters += characters(text, size);
    r->waiting_before = r->waiting_last;
    r->waiting_last = size;
    return DONE;
}

/* Let lexemes that have no place of their own start where the next one does. */
static void fill_starts(const PythonReader *r) {
    const Stream *stream = &r->reader.automaton.stream;
    uint32_t at = (uint32_t)(stream->base + stream->text.size);
    for (size_t i = stream->count; i-- > 0;) {
        Lexeme *lexeme = &stream->items[i];
        if (lexeme->start == NO_START || (!lexeme->size && !lexeme->is_made)) /* tokens without text are made, implied ones are not */
            lexeme->start = at;
        at = lexeme->start;
    }
}

static Result python_close(Reader *reader) {
    PythonReader *r = (PythonReader *)reader;
    Automaton *automaton = &reader->automaton;
    TRY(add_source(r, "", 0));
    TRY(read_on(r, 1));
    if (r->comment_count)
        return CANNOT;
    uint32_t end = (uint32_t)(automaton->stream.base + automaton->stream.text.size);
    TRY(automaton_push(automaton, automaton->tables->end, (Lexeme){end, 0, end, 0, 0}));
    fill_starts(r);
    return DONE;
}

/* The commas of a row may turn out to stand between targets. */
static size_t python_settled(Reader *reader) {
    PythonReader *r = (PythonReader *)reader;
    const Stream *stream = &reader->automaton.stream;
    size_t known = automaton_settled(&reader->automaton);
    for (size_t i = r->seen; i < known; i++) {
        int terminal = stream->items[i].terminal;
        if (terminal >= TERMINALS)
            continue;
        int role = terminal_role[terminal];
        if (terminal == T_OPEN_PARENTHESIS || terminal == T_OPEN_BRACKET || terminal == T_OPEN_BRACE || terminal == T_FIELD_START)
            r->depth++;
        else if (terminal == T_CLOSE_PARENTHESIS || terminal == T_CLOSE_BRACKET || terminal == T_CLOSE_BRACE)
            r->depth--;
        else if (!r->depth) {
            if (terminal == T_LINE_SEP || terminal == T_BLOCK_START || terminal == T_BLOCK_END || terminal == T_ASSIGN ||
                (role == ROLE_COMMENT && terminal != T_INNER_COMMENT))
                r->row = NOWHERE;
            else if (terminal == T_EXPRESSION_SEP && r->row == NOWHERE)
                r->row = i;
        }
    }
    r->seen = known;
    return r->row == NOWHERE ? known : r->row;
}

static size_t python_position(const Reader *reader) { return ((const PythonReader *)reader)->position; }

/* Forget text before the first byte that a lexeme, a token or a comment is made from, once that is half of it. */
static void drop_text(PythonReader *r) {
    Stream *stream = &r->reader.automaton.stream;
    size_t first = r->at + stream->base;
    if (r->queue_count && r->queue[0].at < first)
        first = r->queue[0].at; /* of the oldest token, which the others follow */
    if (r->own_first < r->own_count && r->own[r->own_first].at < first)
        first = r->own[r->own_first].at;
    if (r->comment_count && r->comments[0].at < first)
        first = r->comments[0].at;
    size_t i = 0;
    while (i < stream->count && (stream->items[i].is_made || !stream->items[i].size))
        i++;
    if (i < stream->count && stream->items[i].at < first)
        first = stream->items[i].at;
    size_t count = first - stream->base;
    if (count < 4096 || count < stream->text.size / 2)
        return;
    size_t end = count;
    while (end && is_blank(stream->text.data[end - 1]))
        end--;
    r->blank = end ? stream->text.data[end - 1] == '\n' : r->blank;
    buffer_drop(&stream->text, count);
    memset(stream->text.data + stream->text.size, 0, 4);
    stream->base += count;
    r->at -= count;
    r->length -= count;
}

/* Forget texts that were made for lexemes that are gone, once that is half of them. */
static void drop_made(PythonReader *r) {
    Stream *stream = &r->reader.automaton.stream;
    if (stream->made.size < 65536)
        return;
    size_t i = 0;
    while (i < stream->count && (!stream->items[i].is_made || !stream->items[i].size))
        i++;
    size_t count = i < stream->count ? stream->items[i].at : stream->made.size;
    if (count < stream->made.size / 2)
        return;
    buffer_drop(&stream->made, count);
    for (; i < stream->count; i++)
        if (stream->items[i].is_made && stream->items[i].size)
            stream->items[i].at -= (uint32_t)count;
}

static void python_drop(Reader *reader, size_t count) {
    PythonReader *r = (PythonReader *)reader;
    r->odd_count = 0;
    if (count) {
        stream_drop(&reader->automaton.stream, count);
        r->seen -= count;
        if (r->row != NOWHERE)
            r->row -= count;
        drop_made(r);
    }
    drop_text(r);
}

static void python_free(Reader *reader) {
    PythonReader *r = (PythonReader *)reader;
    automaton_free(&reader->automaton);
    free(r->queue);
    free(r->brackets);
    free(r->indents);
    buffer_free(&r->indent_text);
    free(r->own);
    free(r->comments);
    free(r->marks);
    free(r->odd);
    free(r);
}

static const ReaderKind python_kind = {python_feed, python_close, python_settled, python_position, python_drop, python_free};

static Result start(PythonReader *r, const Tables *tables) {
    void *indents = NULL;
    TRY(automaton_start(&r->reader.automaton, tables));
    TRY(array_reserve(&indents, &r->indent_room, 16, sizeof(Indent)));
    r->indents = indents;
    r->indents[0] = (Indent){0, 0, 0, 0};
    r->indent_count = 1;
    TRY(buffer_reserve(&r->reader.automaton.stream.made, 64)); /* so that an empty text of it is one, too */
    return add_source(r, "", 0);
}

Result python_reader_new(Reader **made, const Tables *tables, const PythonTokens *tokens) {
    PythonReader *r = calloc(1, sizeof(PythonReader));
    *made = NULL;
    if (r == NULL)
        return NO_MEMORY;
    r->reader.kind = &python_kind;
    r->tokens = tokens;
    r->soft = r->row = r->rest_characters = NOWHERE;
    r->last = UNKNOWN_TOKEN;
    r->has_indent = 1;
    r->line_start = r->blank = 1;
    Result result = start(r, tables);
    if (result == DONE)
        *made = &r->reader;
    else
        python_free(&r->reader);
    return result;
}

size_t python_reader_odd_names(Reader *reader, const Lexeme **names) {
    PythonReader *r = (PythonReader *)reader;
    size_t count = r->odd_count;
    *names = r->odd;
    r->odd_count = 0;
    return count;
}
