/* A writer: lexemes in, text of one spelling out, whole or in pieces. What simpy_grammar.speller.Speller, transpiler.pep8.Layout
   and transpiler.compact do. */

#ifndef SIMPY_WRITER_H
#define SIMPY_WRITER_H

#include "core.h"

typedef struct Writer Writer;

typedef struct {
    /* Write the first `count` lexemes of a stream, which no later text can change; with `final` they are the last ones.
       `taken` becomes how many of them are dealt with: the caller drops these, and gives the others again, with what follows.
       CANNOT: the native core cannot write them, or they nest too deep. Nothing else is done with the writer then. */
    Result (*write)(Writer *writer, const Stream *stream, size_t count, int final, size_t *taken);
    void (*free)(Writer *writer);
} WriterKind;

/* Each kind of writer begins with this. */
struct Writer {
    const WriterKind *kind;
    Buffer out; /* the text that is settled; the caller takes it and sets `size` to 0 */
};

/* PEP 8. `width` is (size_t)-1 for any; `modules` are the names of the standard library, sorted, each with a line feed after it;
   it is not copied and must stay. */
Result layout_new(Writer **made, size_t width, const char *indent, size_t indent_size, const char *base, size_t base_size,
                  const char *modules, size_t modules_size);

/* A dialect of SimPy. */
typedef struct Spelling Spelling; /* how a dialect spells the terminals; made once for each, never changed */
Result speller_new(Writer **made, const Spelling *spelling);

/* Compact Python; it writes only with `final`, and takes nothing before. */
Result compact_new(Writer **made, const char *base, size_t base_size);

/* The terminals of a stream, with T_WITH_PARENTHESES for parentheses that mean nothing; the caller frees them. */
Result without_redundant(const Stream *stream, size_t count, unsigned char **written);

#endif
