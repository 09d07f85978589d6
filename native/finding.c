/* Where added tokens stand in the code of a SimPy text: what tokenizer_ext.token_finder does by its regular expressions.

   Where those cannot tell either, the result is CANNOT. The tokens are a trie over bytes; of those at one place the longest is
   tried first. */

#include "module.h"

#include <stdlib.h>

#define NO_NODE 0 /* the root, to which no edge leads */

typedef struct {
    uint32_t edge, edges; /* its edges: where they begin, and how many they are */
    uint8_t after;        /* of the token that ends here: what cannot follow; NOT_A_TOKEN if none does */
} Node;

typedef struct {
    uint8_t byte;
    uint32_t node;
} Edge;

/* Kinds of tokens by what cannot stand beside them. */
enum { ANYTHING, AFTER_QUOTE, AFTER_UNDERSCORE, AFTER_DIGIT, AFTER_UPPER, AFTER_LOWER, AFTER_SIGN, AFTER_DOT, AFTER_STAR, AFTER_SLASH,
       AFTER_LESS, AFTER_GREATER, NOT_A_TOKEN = 255 };
enum { BEFORE_QUOTE = 1, BEFORE_UNDERSCORE, BEFORE_DIGIT, BEFORE_UPPER, BEFORE_LOWER, BEFORE_LESS, BEFORE_STAR, BEFORE_SLASH,
       BEFORE_GREATER, BEFORE_DOT, BEFORE_EQUAL };

enum { TOKEN_BYTE = 1, DATA_BYTE = 2 }; /* a token may begin with it; a string or comment does */

typedef struct {
    Node *nodes;
    size_t node_count;
    Edge *edges;
    uint32_t first[256]; /* byte -> the node below the root, or NO_NODE */
    uint8_t begins[256]; /* TOKEN_BYTE, DATA_BYTE */
    uint8_t before[256]; /* the first byte of a token -> what cannot stand before it */
    uint16_t forbidden_before[256], forbidden_after[256]; /* byte -> bits of the kinds */
    int tokens_first; /* a token that begins with a string is found before the string is */
} Finder;

typedef struct {
    uint32_t start, end;
} Span;

typedef struct {
    const Finder *finder;
    const char *text;
    size_t size;
    Span *found;
    size_t count, room;
} Search;

/* ------------------------------------------------------------------------------------------------------ what may stand where */

static int is_quote(char byte) { return byte == '"' || byte == '\''; }
static int is_upper(char byte) { return byte >= 'A' && byte <= 'Z'; }
static int is_lower(char byte) { return byte >= 'a' && byte <= 'z'; }
static int is_letter(char byte) { return is_upper(byte) || is_lower(byte); }
static int is_ascii(char byte) { return (unsigned char)byte < 0x80; }

static int is_name_or_digit(char byte) { return is_letter(byte) || is_digit(byte) || byte == '_'; }

static void forbid(uint16_t *table, int kind, const char *bytes) {
    for (; *bytes; bytes++)
        table[(unsigned char)*bytes] |= (uint16_t)(1u << kind);
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define QUOTES "\"'"

static void set_neighbours(Finder *finder) {
    static const struct {
        uint8_t kind;
        const char *bytes;
    } before[] = {{BEFORE_QUOTE, UPPER LOWER DIGITS "_" QUOTES}, {BEFORE_UNDERSCORE, "_"}, {BEFORE_DIGIT, DIGITS}, {BEFORE_UPPER, UPPER},
                  {BEFORE_LOWER, UPPER LOWER}, {BEFORE_STAR, "*"}, {BEFORE_SLASH, "/"}, {BEFORE_GREATER, "->"}, {BEFORE_DOT, "."},
                  {BEFORE_EQUAL, "=<>!:+*/%&|^@-"}},
      after[] = {{AFTER_QUOTE, QUOTES}, {AFTER_UNDERSCORE, "_" QUOTES}, {AFTER_DIGIT, DIGITS QUOTES}, {AFTER_UPPER, UPPER LOWER QUOTES},
                 {AFTER_LOWER, LOWER QUOTES}, {AFTER_SIGN, "="}, {AFTER_DOT, ".="}, {AFTER_STAR, "*="}, {AFTER_SLASH, "/="},
                 {AFTER_LESS, "<="}, {AFTER_GREATER, ">="}};
    for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
        forbid(finder->forbidden_before, before[i].kind, before[i].bytes);
    for (size_t i = 0; i < sizeof(after) / sizeof(*after); i++)
        forbid(finder->forbidden_after, after[i].kind, after[i].bytes);
}

static uint8_t kind_before(char first) {
    static const char signs[] = "<*/>.=", kinds[] = {BEFORE_LESS, BEFORE_STAR, BEFORE_SLASH, BEFORE_GREATER, BEFORE_DOT, BEFORE_EQUAL};
    const char *sign = strchr(signs, first);
    return is_quote(first)   ? BEFORE_QUOTE
           : first == '_'    ? BEFORE_UNDERSCORE
           : is_digit(first) ? BEFORE_DIGIT
           : is_upper(first) ? BEFORE_UPPER
           : is_lower(first) ? BEFORE_LOWER
           : sign != NULL && first != 0 ? (uint8_t)kinds[sign - signs]
                             : ANYTHING;
}

/* Whether a token ends with a special token, such as `<if>` or `<n12>`. */
static int ends_special(const char *token, size_t size) {
    size_t at = size - 1;
    if (token[at] != '>')
        return 0;
    while (at && is_digit(token[at - 1]))
        at--;
    size_t letters = at;
    while (at && (is_lower(token[at - 1]) || token[at - 1] == '_'))
        at--;
    return at < letters && at && token[at - 1] == '<';
}

static uint8_t kind_after(const char *token, size_t size) {
    static const char signs[] = "*/<>-.+%&|^@:=!",
                      kinds[] = {AFTER_STAR, AFTER_SLASH, AFTER_LESS, AFTER_GREATER, AFTER_GREATER, AFTER_DOT, AFTER_SIGN, AFTER_SIGN,
                                 AFTER_SIGN, AFTER_SIGN, AFTER_SIGN, AFTER_SIGN, AFTER_SIGN, AFTER_SIGN, AFTER_SIGN};
    char last = token[size - 1];
    const char *sign = strchr(signs, last);
    return is_quote(last)               ? AFTER_QUOTE
           : last == '_'                ? AFTER_UNDERSCORE
           : is_digit(last)             ? AFTER_DIGIT
           : is_upper(last)             ? AFTER_UPPER
           : is_lower(last)             ? AFTER_LOWER
           : ends_special(token, size)  ? ANYTHING
           : sign != NULL && last != 0  ? (uint8_t)kinds[sign - signs]
                                        : ANYTHING;
}

static int may_begin(const Search *search, size_t at, Result *result) {
    uint8_t kind = search->finder->before[(unsigned char)search->text[at]];
    if (kind == ANYTHING || !at)
        return 1;
    const char *before = search->text + at - 1;
    if (kind == BEFORE_LESS) /* the second of two, which are an operator; three are one and what begins here */
        return *before != '<' || (at > 1 && before[-1] == '<');
    if (kind == BEFORE_QUOTE && !is_ascii(*before)) { /* a letter or not: Python knows */
        *result = CANNOT;
        return 0;
    }
    return !(search->finder->forbidden_before[(unsigned char)*before] >> kind & 1);
}

static int may_end(const Search *search, uint8_t kind, size_t at, size_t end) {
    if (kind == ANYTHING || at == end)
        return 1;
    const char *text = search->text;
    if (search->finder->forbidden_after[(unsigned char)text[at]] >> kind & 1)
        return 0;
    /* The prefix of a string is no name. */
    return !(kind >= AFTER_UNDERSCORE && kind <= AFTER_LOWER && at + 1 < end && is_quote(text[at + 1]) && is_letter(text[at]));
}

/* -------------------------------------------------------------------------------------------------------------- searching */

/* The end of the longest token that begins at some place, 0 if none does. */
static size_t token_at(const Search *search, size_t at, size_t end, Result *result) {
    const Finder *finder = search->finder;
    uint32_t node = finder->first[(unsigned char)search->text[at]];
    size_t best = 0;
    if (node == NO_NODE || !may_begin(search, at, result))
        return 0;
    for (;;) {
        const Node *here = &finder->nodes[node];
        at++;
        if (here->after != NOT_A_TOKEN && may_end(search, here->after, at, end))
            best = at;
        if (at == end)
            return best;
        const Edge *edge = finder->edges + here->edge, *last = edge + here->edges;
        uint8_t byte = (uint8_t)search->text[at];
        while (edge < last && edge->byte < byte)
            edge++;
        if (edge == last || edge->byte != byte)
            return best;
        node = edge->node;
    }
}

static Result add_found(Search *search, size_t start, size_t end) {
    if (search->count == search->room) {
        void *found = search->found;
        TRY(array_reserve(&found, &search->room, search->count + 1, sizeof(Span)));
        search->found = found;
    }
    search->found[search->count++] = (Span){(uint32_t)start, (uint32_t)end};
    return DONE;
}

/* The tokens of a stretch of code; with `any` whether there are some. */
static Result find_in(Search *search, size_t start, size_t end, int *any) {
    Result result = DONE;
    if (any != NULL)
        *any = 0;
    for (size_t at = start; at < end;) {
        size_t found = token_at(search, at, end, &result);
        TRY(result);
        if (found && any != NULL) {
            *any = 1;
            return DONE;
        }
        if (found)
            TRY(add_found(search, at, found));
        at = found ? found : at + 1;
    }
    return DONE;
}

static int is_triple(const Search *search, size_t at) {
    const char *text = search->text + at;
    return search->size - at >= 3 && text[0] == text[1] && text[1] == text[2];
}

/* The end of a comment or string, of which an unfinished one goes to the end of its line or of the text. */
static size_t data_end(const Search *search, size_t at) {
    const char *text = search->text;
    size_t size = search->size;
    char quote = text[at];
    if (quote == '#') {
        const char *end = memchr(text + at, '\n', size - at);
        return end == NULL ? size : (size_t)(end - text);
    }
    int triple = is_triple(search, at);
    for (at += triple ? 3 : 1; at < size; at++) {
        if (text[at] == '\\') {
            at++;
        } else if (text[at] == quote) {
            if (!triple)
                return at + 1;
            if (is_triple(search, at))
                return at + 3;
        } else if (text[at] == '\n' && !triple) {
            return at;
        }
    }
    return size;
}

/* Whether a string has the prefix of an f-string or t-string. */
static Result is_formatted(const Search *search, size_t at, int *formatted) {
    static const char kinds[] = "fFtT", raw[] = "rR";
    *formatted = 0;
    const char *text = search->text;
    char last = at ? text[at - 1] : 0, first = at > 1 ? text[at - 2] : 0;
    if (!last || (!strchr(kinds, last) && !strchr(raw, last)))
        return DONE;
    if (first && ((strchr(kinds, last) && strchr(raw, first)) || (strchr(raw, last) && strchr(kinds, first)))) {
        char before = at > 2 ? text[at - 3] : 0;
        if (!is_ascii(before))
            return CANNOT;
        *formatted = !is_name_or_digit(before);
    }
    if (*formatted || !strchr(kinds, last))
        return DONE;
    if (!is_ascii(first))
        return CANNOT;
    *formatted = !is_name_or_digit(first);
    return DONE;
}

/* The end of an f-string whose fields hold no braces, no backslash and, of strings, only plain ones in the other quote.
   CANNOT: it is another one. */
static Result simple_end(const Search *search, size_t at, size_t *end) {
    const char *text = search->text;
    size_t size = search->size;
    char quote = text[at], other = quote == '"' ? '\'' : '"';
    int triple = is_triple(search, at);
    for (at += triple ? 3 : 1; at < size; at++) {
        char byte = text[at];
        if (byte == quote && (!triple || is_triple(search, at))) {
            *end = at + (triple ? 3 : 1);
            return DONE;
        }
        if (byte == '\n' && !triple)
            return CANNOT;
        if (byte == '\\') {
            at++;
            if (at == size || text[at] == '{' || text[at] == '}' || text[at] == 'N')
                return CANNOT;
        } else if (byte == '}') {
            at++;
            if (at == size || text[at] != '}')
                return CANNOT;
        } else if (byte == '{') {
            at++;
            if (at < size && text[at] == '{')
                continue;
            int in_string = 0;
            for (; at < size; at++) {
                if (text[at] == '}' && !in_string)
                    break;
                if (text[at] == other)
                    in_string = !in_string;
                else if (text[at] == quote || strchr("{}#\\\n", text[at] ? text[at] : 'x'))
                    return CANNOT;
            }
        }
    }
    return CANNOT;
}

static int holds(const char *text, size_t size, const char *part, size_t part_size) {
    for (size_t at = 0; at + part_size <= size; at++)
        if (memcmp(text + at, part, part_size) == 0)
            return 1;
    return 0;
}

/* The tokens in the fields of a simple f-string. CANNOT: not all of it can be read. */
static Result find_in_fields(Search *search, size_t at, size_t end) {
    const char *text = search->text;
    int any;
    while (at < end) {
        if (text[at] != '{') {
            at++;
            continue;
        }
        size_t start = ++at, split;
        if (at < end && text[at] == '{') {
            at++;
            continue;
        }
        while (at < end && text[at] != '}')
            at++;
        if (holds(text + start, at - start, "<debug>", 7))
            return CANNOT;
        for (split = start; split < at && !is_quote(text[split]) && text[split] != ':' && text[split] != '!'; split++)
            ;
        TRY(find_in(search, split, at, &any));
        if (any)
            return CANNOT;
        TRY(find_in(search, start, split, NULL));
    }
    return DONE;
}

static Result read_data(Search *search, size_t *at) {
    int formatted = 0, any;
    if (search->text[*at] != '#')
        TRY(is_formatted(search, *at, &formatted));
    if (!formatted) {
        *at = data_end(search, *at);
        return DONE;
    }
    size_t end;
    TRY(simple_end(search, *at, &end));
    TRY(find_in(search, *at, end, &any));
    if (any)
        TRY(find_in_fields(search, *at, end));
    *at = end;
    return DONE;
}

static Result find_all(Search *search) {
    const Finder *finder = search->finder;
    Result result = DONE;
    size_t at = 0;
    while (at < search->size) {
        uint8_t begins = finder->begins[(unsigned char)search->text[at]];
        if (!begins) {
            at++;
            continue;
        }
        size_t end = 0;
        if (begins == TOKEN_BYTE || (begins & TOKEN_BYTE && finder->tokens_first)) {
            end = token_at(search, at, search->size, &result);
            TRY(result);
        }
        if (end) {
            TRY(add_found(search, at, end));
            at = end;
        } else if (begins & DATA_BYTE) {
            TRY(read_data(search, &at));
        } else {
            at++;
        }
    }
    return DONE;
}

/* --------------------------------------------------------------------------------------------------------- making a finder */

static void finder_free(Finder *finder) {
    if (finder == NULL)
        return;
    free(finder->nodes);
    free(finder->edges);
    free(finder);
}

typedef struct {
    const char *text;
    size_t size;
} Token;

static int compare_tokens(const void *one, const void *other) {
    const Token *a = one, *b = other;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* A run of sorted tokens that share their first `depth` bytes, and the node for these bytes. */
typedef struct {
    uint32_t from, to, node;
    size_t depth;
} Run;

/* Fill the trie, level by level, so that the edges of a node lie side by side. */
static Result fill_trie(Finder *finder, const Token *tokens, uint32_t count, Run *runs) {
    size_t run_count = 1, edge_count = 0;
    runs[0] = (Run){0, count, 0, 0};
    for (size_t i = 0; i < run_count; i++) {
        Run run = runs[i];
        Node *node = &finder->nodes[run.node];
        *node = (Node){(uint32_t)edge_count, 0, NOT_A_TOKEN};
        while (run.from < run.to && tokens[run.from].size == run.depth) {
            node->after = kind_after(tokens[run.from].text, run.depth);
            run.from++;
        }
        while (run.from < run.to) {
            uint8_t byte = (uint8_t)tokens[run.from].text[run.depth];
            uint32_t to = run.from + 1;
            while (to < run.to && (uint8_t)tokens[to].text[run.depth] == byte)
                to++;
            finder->edges[edge_count++] = (Edge){byte, (uint32_t)run_count};
            runs[run_count] = (Run){run.from, to, (uint32_t)run_count, run.depth + 1};
            run_count++;
            node->edges++;
            run.from = to;
        }
    }
    finder->node_count = run_count;
    return DONE;
}

static Result finder_make(Finder **made, Token *tokens, uint32_t count) {
    size_t most = 1; /* nodes */
    Finder *finder = calloc(1, sizeof *finder);
    if (finder == NULL)
        return NO_MEMORY;
    *made = finder;
    for (uint32_t i = 0; i < count; i++) {
        Token token = tokens[i];
        if (!token.size || !is_ascii(token.text[0]) || !is_ascii(token.text[token.size - 1]) || most + token.size > UINT32_MAX / 64)
            return CANNOT;
        most += token.size;
        uint8_t first = (uint8_t)token.text[0];
        finder->before[first] = kind_before((char)first);
        finder->begins[first] |= TOKEN_BYTE;
        finder->tokens_first |= is_quote((char)first);
    }
    for (const char *byte = "\"'#"; *byte; byte++)
        finder->begins[(unsigned char)*byte] |= DATA_BYTE;
    set_neighbours(finder);
    qsort(tokens, count, sizeof *tokens, compare_tokens);
    finder->nodes = calloc(most, sizeof *finder->nodes);
    finder->edges = calloc(most, sizeof *finder->edges);
    Run *runs = calloc(most, sizeof *runs);
    Result result = finder->nodes == NULL || finder->edges == NULL || runs == NULL ? NO_MEMORY : fill_trie(finder, tokens, count, runs);
    free(runs);
    TRY(result);
    const Node *root = finder->nodes;
    for (uint32_t i = 0; i < root->edges; i++)
        finder->first[finder->edges[i].byte] = finder->edges[i].node;
    return DONE;
}

/* ---------------------------------------------------------------------------------------------------------- seen by Python */

#define FINDER "simpy_grammar._native.finder"

static void free_finder(PyObject *capsule) { finder_free(PyCapsule_GetPointer(capsule, FINDER)); }

static PyObject *make_finder(PyObject *module, PyObject *texts) {
    (void)module;
    Finder *finder = NULL;
    PyObject *items = PySequence_Tuple(texts); /* keeps the texts */
    if (items == NULL)
        return NULL;
    Py_ssize_t count = PyTuple_Size(items);
    Token *tokens = calloc((size_t)count + 1, sizeof *tokens);
    Result result = tokens == NULL ? NO_MEMORY : count > INT32_MAX ? CANNOT : DONE;
    for (Py_ssize_t i = 0; result == DONE && i < count; i++)
        result = PyUnicode_Check(PyTuple_GetItem(items, i)) ? utf8_of(PyTuple_GetItem(items, i), &tokens[i].text, &tokens[i].size) : CANNOT;
    if (result == DONE)
        result = finder_make(&finder, tokens, (uint32_t)count);
    free(tokens);
    Py_DECREF(items);
    PyObject *capsule = result == DONE ? PyCapsule_New(finder, FINDER, free_finder) : NULL;
    if (capsule == NULL)
        finder_free(finder);
    return result == DONE ? capsule : returned(result, NULL);
}

/* Turn offsets of bytes into those of characters. */
static void count_characters(Search *search) {
    size_t at = 0, place = 0;
    for (size_t i = 0; i < search->count; i++) {
        Span *span = &search->found[i];
        place += characters(search->text + at, span->start - at);
        size_t end = place + characters(search->text + span->start, span->end - span->start);
        at = span->end;
        *span = (Span){(uint32_t)place, (uint32_t)end};
        place = end;
    }
}

/* Find the tokens of a text; with the GIL held again afterwards. */
static Result search_in(Search *search, PyObject *capsule, PyObject *text) {
    search->finder = PyCapsule_GetPointer(capsule, FINDER);
    if (search->finder == NULL) {
        PyErr_Clear();
        return CANNOT;
    }
    TRY(PyUnicode_Check(text) ? utf8_of(text, &search->text, &search->size) : CANNOT);
    int is_wide = (size_t)PyUnicode_GetLength(text) != search->size;
    Result result;
    Py_BEGIN_ALLOW_THREADS
    result = find_all(search);
    if (result == DONE && is_wide)
        count_characters(search);
    Py_END_ALLOW_THREADS
    return result;
}

static PyObject *span_pair(Span span) {
    PyObject *pair = PyTuple_New(2);
    PyObject *start = PyLong_FromUnsignedLong(span.start), *end = PyLong_FromUnsignedLong(span.end);
    if (pair == NULL || start == NULL || end == NULL) {
        Py_XDECREF(start);
        Py_XDECREF(end);
        Py_XDECREF(pair);
        return NULL;
    }
    PyTuple_SetItem(pair, 0, start);
    PyTuple_SetItem(pair, 1, end);
    return pair;
}

static PyObject *list_of_spans(const Search *search) {
    PyObject *list = PyList_New((Py_ssize_t)search->count);
    for (size_t i = 0; list != NULL && i < search->count; i++) {
        PyObject *pair = span_pair(search->found[i]);
        if (pair == NULL)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, (Py_ssize_t)i, pair);
    }
    return list;
}

static PyObject *find(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule, *text;
    if (!PyArg_ParseTuple(arguments, "OO:find", &capsule, &text))
        return NULL;
    Search search = {0};
    Result result = search_in(&search, capsule, text);
    PyObject *list = result == DONE ? list_of_spans(&search) : NULL;
    free(search.found);
    return result == DONE ? list : returned(result, NULL);
}

/* The text cut at its tokens. */
static PyObject *list_of_pieces(const Search *search, PyObject *text) {
    PyObject *list = PyList_New((Py_ssize_t)(2 * search->count + 1));
    size_t at = 0;
    for (size_t i = 0; list != NULL && i <= 2 * search->count; i++) {
        size_t end = i == 2 * search->count ? (size_t)PyUnicode_GetLength(text) : i % 2 ? search->found[i / 2].end : search->found[i / 2].start;
        PyObject *piece = PyUnicode_Substring(text, (Py_ssize_t)at, (Py_ssize_t)end);
        if (piece == NULL)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, (Py_ssize_t)i, piece);
        at = end;
    }
    return list;
}

static PyObject *pieces(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule, *text;
    if (!PyArg_ParseTuple(arguments, "OO:pieces", &capsule, &text))
        return NULL;
    Search search = {0};
    Result result = search_in(&search, capsule, text);
    PyObject *list = result == DONE ? list_of_pieces(&search, text) : NULL;
    free(search.found);
    return result == DONE ? list : returned(result, NULL);
}

PyMethodDef finding_methods[] = {
    {"finder", make_finder, METH_O, "finder(tokens): what finds some added tokens; None if it cannot find them"},
    {"find", find, METH_VARARGS, "find(finder, text): start and end of each added token, in characters; None where Python has to look"},
    {"pieces", pieces, METH_VARARGS,
     "pieces(finder, text): the text cut at its added tokens: text, token, text and so on; None where Python has to look"},
    {NULL, NULL, 0, NULL},
};
