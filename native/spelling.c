/* The speller: lexemes in, the text of a dialect of SimPy out. What simpy_grammar.speller and simpy_grammar.aliases do, with the
   same steps in the same order, as far as the same lexemes have come. */

#include "module.h"
#include "spelling_tables.h"
#include "writer.h"

#include <stdlib.h>

typedef struct {
    const char *text; /* NULL for none */
    size_t size;
} Text;

/* A spelling with blanks, and the one without them. */
typedef struct {
    int terminal;
    Text narrow, wide;
} Blanks;

/* The texts stay in Python strings, which the capsule keeps. */
struct Spelling {
    Text text[TERMINALS];  /* none: the lexeme has its own, or the dialect does not spell the terminal */
    Text apart[TERMINALS]; /* between a closing and an opening bracket or quote */
    unsigned char is_asked[TERMINALS]; /* the neighbours decide */
    unsigned char has_blanks[TERMINALS];
    Blanks *blanks;
    Text *ends; /* the texts that imply the closing brackets before them */
    size_t blanks_count, ends_count;
    int aliases;
};

static void spelling_free(Spelling *spelling) {
    if (spelling == NULL)
        return;
    free(spelling->blanks);
    free(spelling->ends);
    free(spelling);
}

static int is_same(Text one, Text other) { return one.size == other.size && (!one.size || memcmp(one.text, other.text, one.size) == 0); }

/* What follows the text of a piece: an alias has its number. */
enum { NOTHING = -1, LINE_FEED = -2 };

/* How one lexeme is spelled. */
typedef struct {
    const char *text;
    uint32_t size;
    int16_t after;
    uint8_t was_case; /* what a CASE or a block end has changed in `cases` */
} Piece;

#define NOWHERE (-1)

typedef struct {
    Writer writer;
    const Spelling *spelling;
    Buffer cases;  /* for each open block, whether it is that of a match statement */
    int before[2]; /* the last two terminals that have been spelled ... */
    char tail;     /* ... and the last byte; 0 if there is none */
    /* for one call: */
    Piece *pieces;
    size_t room;
    const Lexeme *items;
    size_t count;
    int is_final;
} Speller;

static inline int terminal_at(const Speller *speller, size_t i, size_t back) {
    return i >= back ? speller->items[i - back].terminal : speller->before[2 + i - back];
}

static inline int is_empty(const Piece *piece) { return !piece->size && piece->after == NOTHING; }

static inline char first_of(const Piece *piece) {
    return piece->size ? piece->text[0] : piece->after == NOTHING ? 0 : piece->after == LINE_FEED ? '\n' : '<';
}

static inline char last_of(const Piece *piece) {
    if (piece->after == NOTHING)
        return piece->size ? piece->text[piece->size - 1] : 0;
    return piece->after == LINE_FEED ? '\n' : '>';
}

static inline void set_text(Piece *piece, Text text) {
    piece->text = text.text;
    piece->size = (uint32_t)text.size;
    piece->after = NOTHING;
}

/* ----------------------------------------------------------------------------------------------------- by neighbours */

static Result spell_as(Speller *speller, size_t i, int terminal) {
    Text text = speller->spelling->text[terminal];
    if (text.text == NULL)
        return CANNOT;
    set_text(&speller->pieces[i], text);
    return DONE;
}

static Result start_block(Speller *speller, size_t i, int first, int *waits) {
    const Spelling *spelling = speller->spelling;
    if (first == T_PASS && spelling->text[T_ONLY_PASS].text != NULL) {
        if (i + 2 == speller->count) {
            *waits = !speller->is_final;
            return *waits ? DONE : CANNOT;
        }
        if (speller->items[i + 2].terminal == T_BLOCK_END)
            first = NOWHERE; /* a pass that is left out is not the keyword of a statement */
    }
    int header = terminal_at(speller, i, 1);
    if (header == T_HEADER_COMMENT)
        header = terminal_at(speller, i, 2);
    int name = T_BLOCK_START;
    if (header == T_EXCEPT)
        name = T_EXPLICIT_BLOCK_START;
    else if (header != NOWHERE && terminal_questions[header] & IS_BARE_HEADER)
        name = first == T_COMMENT ? T_EXPLICIT_BLOCK_START : T_BARE_BLOCK_START;
    else if (first == T_CASE)
        name = T_MATCH_BLOCK_START;
    else if (first != NOWHERE && terminal_questions[first] & IS_KEYWORD)
        name = T_KEYWORD_BLOCK_START;
    TRY(spell_as(speller, i, name));
    return spelling->is_asked[T_BLOCK_END] ? buffer_add_byte(&speller->cases, 0) : DONE;
}

static Result end_block(Speller *speller, size_t i, int follows) {
    Buffer *cases = &speller->cases;
    if (!cases->size)
        return CANNOT;
    int is_case = cases->data[--cases->size];
    speller->pieces[i].was_case = (uint8_t)is_case;
    int is_clause = follows != NOWHERE && terminal_questions[follows] & IS_CLAUSE;
    return spell_as(speller, i, is_case ? T_MATCH_BLOCK_END : is_clause ? T_CLAUSE_BLOCK_END : T_BLOCK_END);
}

static int is_closing(char byte) { return byte && memchr(")]}'\"", byte, 5) != NULL; }
static int is_opening(char byte) { return byte && memchr("([{'\"", byte, 5) != NULL; }

/* Spell the lexemes whose neighbours decide; return how many of all that settles. */
static Result ask_neighbours(Speller *speller, size_t *settled) {
    const Spelling *spelling = speller->spelling;
    const Lexeme *items = speller->items;
    size_t count = speller->count, last_ends = count; /* where the block ends at the end of the text begin */
    while (last_ends && items[last_ends - 1].terminal == T_BLOCK_END)
        last_ends--;
    *settled = count;
    for (size_t i = 0; i < count; i++) {
        int terminal = items[i].terminal;
        if (!spelling->is_asked[terminal])
            continue;
        Piece *piece = &speller->pieces[i];
        if (terminal_questions[terminal] & IS_COMMENT) {
            if (last_of(piece) != '\n')
                piece->after = LINE_FEED; /* the end of the text ended it, and that may be elsewhere now */
            continue;
        }
        if (terminal == T_CASE) {
            if (!speller->cases.size)
                return CANNOT;
            char *top = &speller->cases.data[speller->cases.size - 1];
            piece->was_case = (uint8_t)*top;
            *top = 1;
            continue;
        }
        int waits = i + 1 == count && !speller->is_final;
        int follows = i + 1 < count ? items[i + 1].terminal : NOWHERE;
        if (waits)
            ;
        else if (terminal == T_BLOCK_START)
            TRY(start_block(speller, i, follows, &waits));
        else if (terminal == T_BLOCK_END && i >= last_ends && spelling->text[T_FINAL_BLOCK_END].text != NULL) {
            waits = !speller->is_final;
            if (!waits) {
                TRY(end_block(speller, i, NOWHERE));
                TRY(spell_as(speller, i, T_FINAL_BLOCK_END));
            }
        } else if (terminal == T_BLOCK_END)
            TRY(end_block(speller, i, follows));
        else if (terminal == T_PASS) {
            if (spelling->text[T_ONLY_PASS].text != NULL && terminal_at(speller, i, 1) == T_BLOCK_START && follows == T_BLOCK_END)
                TRY(spell_as(speller, i, T_ONLY_PASS));
        } else if (is_closing(i ? last_of(piece - 1) : speller->tail)) {
            if (follows == NOWHERE)
                return CANNOT;
            if (is_opening(first_of(piece + 1)))
                set_text(piece, spelling->apart[terminal]);
        }
        if (waits) {
            *settled = i;
            return DONE;
        }
    }
    return DONE;
}

/* ------------------------------------------------------------------------------------------------------------ blanks */

static const Text *with_blanks(const Spelling *spelling, int terminal, const Piece *piece) {
    if (!spelling->has_blanks[terminal] || piece->after != NOTHING)
        return NULL;
    Text text = {piece->text, piece->size};
    for (size_t i = 0; i < spelling->blanks_count; i++)
        if (spelling->blanks[i].terminal == terminal && is_same(spelling->blanks[i].narrow, text))
            return &spelling->blanks[i].wide;
    return NULL;
}

/* Write the spellings with blanks where Python has blanks, but not before a token in angle brackets. */
static void set_apart(Speller *speller, size_t *settled) {
    for (size_t i = 0; i < *settled; i++) {
        int terminal = speller->items[i].terminal;
        const Text *wide = with_blanks(speller->spelling, terminal, &speller->pieces[i]);
        if (wide == NULL)
            continue;
        int separated = terminal_questions[terminal] & IS_SEPARATED;
        size_t after = i + 1;
        for (; after < *settled && is_empty(&speller->pieces[after]); after++)
            separated |= terminal_questions[speller->items[after].terminal] & IS_SEPARATED;
        if (after < *settled) {
            if (separated && first_of(&speller->pieces[after]) != '<')
                set_text(&speller->pieces[i], *wide);
        } else if (!speller->is_final)
            *settled = i;
    }
}

/* -------------------------------------------------------------------------------------------------- closing brackets */

static int is_end(const Speller *speller, size_t i) {
    const Spelling *spelling = speller->spelling;
    const Piece *piece = &speller->pieces[i];
    int questions = terminal_questions[speller->items[i].terminal];
    if (questions & IS_OUTER_COMMENT)
        return 1;
    if (!(questions & ENDS_STATEMENT) || piece->after != NOTHING)
        return 0;
    for (size_t end = 0; end < spelling->ends_count; end++)
        if (is_same(spelling->ends[end], (Text){piece->text, piece->size}))
            return 1;
    return 0;
}

static int are_same(const Piece *one, const Piece *other) {
    return one->after == other->after && is_same((Text){one->text, one->size}, (Text){other->text, other->size});
}

/* Leave out the closing brackets that are implied. */
static void leave_open(Speller *speller, size_t *settled) {
    Piece *pieces = speller->pieces;
    const Lexeme *items = speller->items;
    size_t count = *settled;
    for (size_t start = 0; start < count; start++) {
        if (!(terminal_questions[items[start].terminal] & IS_CLOSING) || is_empty(&pieces[start]))
            continue;
        size_t end = start;
        while (end < count && (terminal_questions[items[end].terminal] & IS_CLOSING || is_empty(&pieces[end])))
            end++;
        if (end == count && !speller->is_final) {
            *settled = start;
            return;
        }
        if (end == count || is_end(speller, end)) {
            int before = terminal_at(speller, start, 1);
            size_t stay = before != NOWHERE && terminal_questions[before] & ENDS_OPERAND ? start : start + 1;
            size_t last = end;
            while (end < count && last > stay && !are_same(&pieces[last - 1], &pieces[end]))
                last--;
            if (end < count)
                stay = last; /* after the last bracket that is spelled as what follows */
            for (size_t i = stay; i < end; i++) {
                pieces[i].size = 0;
                pieces[i].after = NOTHING;
            }
        }
        start = end - 1; /* up to there all are closing brackets, or nothing */
    }
}

/* Forget what was noted in `cases` of lexemes that wait, the last first. */
static void forget_cases(Speller *speller, size_t settled, size_t decided) {
    Buffer *cases = &speller->cases;
    if (!speller->spelling->is_asked[T_BLOCK_END])
        return;
    for (size_t i = decided; i-- > settled;) {
        int terminal = speller->items[i].terminal;
        if (terminal == T_BLOCK_START)
            cases->size--;
        else if (terminal == T_BLOCK_END)
            cases->data[cases->size++] = (char)speller->pieces[i].was_case;
        else if (terminal == T_CASE)
            cases->data[cases->size - 1] = (char)speller->pieces[i].was_case;
    }
}

/* ----------------------------------------------------------------------------------------------------------- aliases */

enum { TOKEN_LENGTH = 7 }; /* characters of a part of a name that are about one token */
#define UNKNOWN UINT32_MAX

/* A name of the program. */
typedef struct {
    Text text;
    uint32_t hash, count;
    int64_t gain;
    int32_t alias; /* its number, or -1 */
    uint8_t is_chosen, is_bound;
} Name;

typedef struct {
    Name *names; /* in the order of their first mentions */
    size_t count, room;
    uint32_t *slots; /* a hash table of their indices */
    size_t mask;
    uint32_t *mentioned; /* lexeme -> index of its name */
    uint32_t *heap;      /* of the names with which most is saved so far, the worst first */
} Names;

static uint32_t hash_of(Text text) {
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.text[i]) * 1099511628211u;
    return (uint32_t)(hash ^ hash >> 32);
}

static int part_class(char byte) {
    return byte == '_' ? 1 : byte >= 'A' && byte <= 'Z' ? 2 : byte >= 'a' && byte <= 'z' ? 3 : is_digit(byte) ? 4 : 5;
}

/* About how many tokens a name is; its parts are those of simpy_grammar.name_boundaries. */
static int64_t tokens_of(Text name) {
    int64_t tokens = 0;
    for (size_t at = 0, end; at < name.size; at = end) {
        int first = part_class(name.text[at]);
        for (end = at + 1; end < name.size && part_class(name.text[end]) == first;)
            end++;
        while (first == 2 && end < name.size && part_class(name.text[end]) == 3)
            end++;
        size_t length = first == 5 ? characters(name.text + at, end - at) : end - at;
        if (first != 1)
            tokens += (int64_t)((length + TOKEN_LENGTH - 1) / TOKEN_LENGTH);
    }
    return tokens ? tokens : 1;
}

/* Whether less is saved with the first of two names; of equals, the later one in the order of their characters is worse. */
static int is_worse(const Name *one, const Name *other) {
    if (one->gain != other->gain)
        return one->gain < other->gain;
    size_t size = one->text.size < other->text.size ? one->text.size : other->text.size;
    int order = memcmp(one->text.text, other->text.text, size);
    return order ? order > 0 : one->text.size > other->text.size;
}

static void sift_down(Names *names, size_t size) {
    uint32_t *heap = names->heap, moved = heap[0];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && is_worse(&names->names[heap[child + 1]], &names->names[heap[child]]))
            child++;
        if (!is_worse(&names->names[heap[child]], &names->names[moved]))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static void sift_up(Names *names, size_t at) {
    uint32_t *heap = names->heap, moved = heap[at];
    for (size_t parent; at && is_worse(&names->names[moved], &names->names[heap[parent = (at - 1) / 2]]); at = parent)
        heap[at] = heap[parent];
    heap[at] = moved;
}

/* Give aliases to the names with which most is saved, numbered in the order of their first mentions. */
static void number(Names *names, size_t most) {
    size_t size = 0;
    for (size_t i = 0; i < names->count; i++) {
        Name *name = &names->names[i];
        name->gain = name->count > 1 ? (int64_t)(name->count - 1) * (tokens_of(name->text) - 1) - 1 : 0;
        if (name->gain <= 0)
            continue;
        if (size < most) {
            names->heap[size] = (uint32_t)i;
            sift_up(names, size++);
        } else if (is_worse(&names->names[names->heap[0]], name)) {
            names->heap[0] = (uint32_t)i;
            sift_down(names, size);
        }
    }
    for (size_t i = 0; i < size; i++)
        names->names[names->heap[i]].is_chosen = 1;
    int32_t next = 0;
    for (size_t i = 0; i < names->count; i++)
        names->names[i].alias = names->names[i].is_chosen ? next++ : -1;
}

static Result count_names(Speller *speller, Names *names) {
    size_t looked = 0, most_looked = 64 * speller->count + 4096;
    for (size_t i = 0; i < speller->count; i++) {
        names->mentioned[i] = UNKNOWN;
        /* What follows the dot of a number must be seen to be a name. */
        if (speller->items[i].terminal != T_NAME || (i && speller->items[i - 1].terminal == T_NUMBER_DOT))
            continue;
        Text text = {speller->pieces[i].text, speller->pieces[i].size};
        uint32_t hash = hash_of(text), found;
        size_t slot = hash & names->mask;
        for (; (found = names->slots[slot]) != UNKNOWN; slot = (slot + 1) & names->mask) {
            if (++looked > most_looked)
                return CANNOT; /* names that are made to collide: in Python they do not */
            if (names->names[found].hash == hash && is_same(names->names[found].text, text))
                break;
        }
        if (found == UNKNOWN) {
            void *grown = names->names;
            TRY(array_reserve(&grown, &names->room, names->count + 1, sizeof(Name)));
            names->names = grown;
            names->slots[slot] = found = (uint32_t)names->count++;
            names->names[found] = (Name){text, hash, 0, 0, -1, 0, 0};
        }
        names->names[found].count++;
        names->mentioned[i] = found;
    }
    return DONE;
}

/* Put aliases into the texts of all lexemes of a program. */
static Result spell_aliases(Speller *speller) {
    Names names = {0};
    size_t most = (size_t)speller->spelling->aliases, size = 64;
    while (size < 2 * speller->count)
        size *= 2;
    names.mask = size - 1;
    names.slots = malloc(size * sizeof(uint32_t));
    names.mentioned = malloc((speller->count + 1) * sizeof(uint32_t));
    names.heap = malloc(most * sizeof(uint32_t));
    Result result = names.slots != NULL && names.mentioned != NULL && names.heap != NULL ? DONE : NO_MEMORY;
    if (result == DONE) {
        memset(names.slots, 0xFF, size * sizeof(uint32_t));
        result = count_names(speller, &names);
    }
    if (result == DONE) {
        number(&names, most);
        for (size_t i = 0; i < speller->count; i++) {
            Name *name = names.mentioned[i] == UNKNOWN ? NULL : &names.names[names.mentioned[i]];
            if (name == NULL || name->alias < 0)
                continue;
            speller->pieces[i].after = (int16_t)name->alias;
            if (name->is_bound)
                speller->pieces[i].size = 0;
            name->is_bound = 1;
        }
    }
    free(names.names);
    free(names.slots);
    free(names.mentioned);
    free(names.heap);
    return result;
}

/* ------------------------------------------------------------------------------------------------------------ writer */

static Result spell_each(Speller *speller, const Stream *stream, size_t count) {
    void *pieces = speller->pieces;
    TRY(array_reserve(&pieces, &speller->room, count, sizeof(Piece)));
    speller->pieces = pieces;
    for (size_t i = 0; i < count; i++) {
        const Lexeme *lexeme = &stream->items[i];
        if (lexeme->terminal >= TERMINALS)
            return CANNOT;
        const Text *text = &speller->spelling->text[lexeme->terminal];
        if (text->text != NULL)
            speller->pieces[i] = (Piece){text->text, (uint32_t)text->size, NOTHING, 0};
        else if (lexeme->size)
            speller->pieces[i] = (Piece){lexeme_text(stream, lexeme), lexeme->size, NOTHING, 0};
        else
            speller->pieces[i] = (Piece){"", 0, NOTHING, 0};
    }
    return DONE;
}

static Result add_alias(Buffer *out, int alias) {
    char text[16];
    size_t at = sizeof(text);
    text[--at] = '>';
    do
        text[--at] = (char)('0' + alias % 10);
    while (alias /= 10);
    text[--at] = 'n';
    text[--at] = '<';
    return buffer_add(out, text + at, sizeof(text) - at);
}

static Result write_pieces(Speller *speller, size_t settled) {
    Buffer *out = &speller->writer.out;
    for (size_t i = 0; i < settled; i++) {
        const Piece *piece = &speller->pieces[i];
        if (piece->size)
            TRY(buffer_add(out, piece->text, piece->size));
        if (piece->after == LINE_FEED)
            TRY(buffer_add_byte(out, '\n'));
        else if (piece->after != NOTHING)
            TRY(add_alias(out, piece->after));
    }
    return DONE;
}

static Result speller_write(Writer *writer, const Stream *stream, size_t count, int final, size_t *taken) {
    Speller *speller = (Speller *)writer;
    const Spelling *spelling = speller->spelling;
    *taken = 0;
    if ((spelling->aliases && !final) || !count)
        return DONE; /* which names have aliases, the whole program says */
    speller->items = stream->items;
    speller->count = count;
    speller->is_final = final;
    TRY(spell_each(speller, stream, count));
    if (spelling->aliases)
        TRY(spell_aliases(speller));
    size_t settled, decided;
    TRY(ask_neighbours(speller, &settled));
    decided = settled;
    if (spelling->blanks_count)
        set_apart(speller, &settled);
    if (spelling->ends_count)
        leave_open(speller, &settled);
    forget_cases(speller, settled, decided);
    TRY(write_pieces(speller, settled));
    if (settled) {
        int last = stream->items[settled - 1].terminal;
        speller->before[0] = settled > 1 ? stream->items[settled - 2].terminal : speller->before[1];
        speller->before[1] = last;
        for (size_t i = settled; i-- > 0;)
            if (!is_empty(&speller->pieces[i])) {
                speller->tail = last_of(&speller->pieces[i]);
                break;
            }
    }
    *taken = settled;
    return DONE;
}

static void speller_free(Writer *writer) {
    Speller *speller = (Speller *)writer;
    buffer_free(&speller->writer.out);
    buffer_free(&speller->cases);
    free(speller->pieces);
    free(speller);
}

static const WriterKind speller_kind = {speller_write, speller_free};

Result speller_new(Writer **made, const Spelling *spelling) {
    Speller *speller = calloc(1, sizeof(Speller));
    if (speller == NULL)
        return NO_MEMORY;
    speller->writer.kind = &speller_kind;
    speller->spelling = spelling;
    speller->before[0] = speller->before[1] = NOWHERE;
    *made = &speller->writer;
    return DONE;
}

/* ---------------------------------------------------------------------------------------------------------- bindings */

#define SPELLING "simpy_grammar._native.spelling"

const Spelling *spelling_in(PyObject *capsule) { return PyCapsule_GetPointer(capsule, SPELLING); }

static void free_spelling(PyObject *capsule) {
    spelling_free(PyCapsule_GetPointer(capsule, SPELLING));
    Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule));
}

static Result read_text(PyObject *text, Text *into) {
    if (text == NULL || text == Py_None)
        return DONE;
    TRY(utf8_of(text, &into->text, &into->size));
    return into->size > 4096 ? CANNOT : DONE; /* so that what is written stays a bounded multiple of the lexemes */
}

static Result read_blanks(PyObject *row, Blanks *blanks) {
    if (!PyTuple_Check(row) || PyTuple_Size(row) != 3)
        return CANNOT;
    long terminal = PyLong_AsLong(PyTuple_GetItem(row, 0));
    PyErr_Clear();
    if (terminal < 0 || terminal >= TERMINALS)
        return CANNOT;
    blanks->terminal = (int)terminal;
    TRY(read_text(PyTuple_GetItem(row, 1), &blanks->narrow));
    TRY(read_text(PyTuple_GetItem(row, 2), &blanks->wide));
    return blanks->narrow.text != NULL && blanks->wide.text != NULL ? DONE : CANNOT;
}

static Result read_spelling(Spelling *spelling, PyObject *arguments) {
    PyObject *texts, *apart, *blanks, *ends;
    const char *asked;
    Py_ssize_t asked_count;
    if (!PyArg_ParseTuple(arguments, "O!O!y#O!O!i", &PyTuple_Type, &texts, &PyTuple_Type, &apart, &asked, &asked_count, &PyTuple_Type,
                          &blanks, &PyTuple_Type, &ends, &spelling->aliases))
        return CANNOT;
    if (PyTuple_Size(texts) != TERMINALS || PyTuple_Size(apart) != TERMINALS || asked_count != TERMINALS || spelling->aliases < 0 ||
        spelling->aliases > INT16_MAX)
        return CANNOT;
    for (int i = 0; i < TERMINALS; i++) {
        TRY(read_text(PyTuple_GetItem(texts, i), &spelling->text[i]));
        TRY(read_text(PyTuple_GetItem(apart, i), &spelling->apart[i]));
        spelling->is_asked[i] = (unsigned char)asked[i];
    }
    if (spelling->is_asked[T_BLOCK_END] && !(spelling->is_asked[T_BLOCK_START] && spelling->is_asked[T_CASE]))
        return CANNOT; /* what is noted of blocks would not be taken back */
    size_t blanks_count = (size_t)PyTuple_Size(blanks), ends_count = (size_t)PyTuple_Size(ends);
    spelling->blanks = calloc(blanks_count + 1, sizeof(Blanks));
    spelling->ends = calloc(ends_count + 1, sizeof(Text));
    if (spelling->blanks == NULL || spelling->ends == NULL)
        return NO_MEMORY;
    for (; spelling->blanks_count < blanks_count; spelling->blanks_count++) {
        Blanks *row = &spelling->blanks[spelling->blanks_count];
        TRY(read_blanks(PyTuple_GetItem(blanks, (Py_ssize_t)spelling->blanks_count), row));
        spelling->has_blanks[row->terminal] = 1;
    }
    for (; spelling->ends_count < ends_count; spelling->ends_count++) {
        Text *end = &spelling->ends[spelling->ends_count];
        TRY(read_text(PyTuple_GetItem(ends, (Py_ssize_t)spelling->ends_count), end));
        if (end->text == NULL)
            return CANNOT;
    }
    return DONE;
}

static PyObject *make_spelling(PyObject *module, PyObject *arguments) {
    (void)module;
    Spelling *spelling = calloc(1, sizeof(Spelling));
    Result result = spelling == NULL ? NO_MEMORY : read_spelling(spelling, arguments);
    PyObject *capsule = result == DONE ? PyCapsule_New(spelling, SPELLING, free_spelling) : NULL;
    if (capsule == NULL) {
        spelling_free(spelling);
        return PyErr_Occurred() ? NULL : returned(result, NULL);
    }
    Py_INCREF(arguments);
    if (PyCapsule_SetContext(capsule, arguments) != 0) {
        Py_DECREF(arguments);
        Py_DECREF(capsule);
        return NULL;
    }
    return capsule;
}

Result stream_of(Stream *stream, PyObject *terminals, PyObject *texts) {
    const char *ids = PyBytes_AsString(terminals), *data;
    size_t count = ids == NULL ? 0 : (size_t)PyBytes_Size(terminals), size;
    if (ids == NULL || !PyList_Check(texts) || (size_t)PyList_Size(texts) != count) {
        PyErr_Clear();
        return CANNOT;
    }
    void *items = stream->items;
    TRY(array_reserve(&items, &stream->room, count, sizeof(Lexeme)));
    stream->items = items;
    for (size_t i = 0; i < count; i++) {
        TRY(utf8_of(PyList_GetItem(texts, (Py_ssize_t)i), &data, &size));
        if ((unsigned char)ids[i] >= TERMINALS || stream->text.size + size > LARGEST_TEXT)
            return CANNOT;
        uint32_t at = (uint32_t)stream->text.size;
        TRY(buffer_add(&stream->text, data, size));
        TRY(stream_add(stream, (Lexeme){at, (uint32_t)size, at, (uint8_t)ids[i], 0}));
    }
    return DONE;
}

PyMethodDef spelling_methods[] = {
    {"spelling", make_spelling, METH_VARARGS, "spelling(texts, apart, asked, blanks, ends, aliases): how a dialect spells; None if that cannot be"},
    {NULL, NULL, 0, NULL},
};
