/* A reader: text of one spelling in, lexemes out, whole or in pieces. What simpy_grammar.simpy_lexer.SimPyReader and
   simpy_grammar.python_reader.PythonReader do. */

#ifndef SIMPY_READER_H
#define SIMPY_READER_H

#include "core.h"

typedef struct Reader Reader;

typedef struct {
    /* Read some more text, as far as no later text can change how it reads. CANNOT: the text is not in the language, or the
       native core cannot read it. Nothing else is done with the reader then. */
    Result (*feed)(Reader *reader, const char *text, size_t size);
    Result (*close)(Reader *reader); /* read the end of the text */
    size_t (*settled)(Reader *reader); /* how many lexemes of the stream no later text can change */
    size_t (*position)(const Reader *reader); /* in bytes, what `position` is in Python */
    void (*drop)(Reader *reader, size_t count); /* forget the first lexemes of the stream */
    void (*free)(Reader *reader);
} ReaderKind;

/* Each kind of reader begins with this. */
struct Reader {
    const ReaderKind *kind;
    Automaton automaton; /* the lexemes are in automaton.stream */
};

/* What the lexer of a dialect of SimPy needs beside the tables; made once for each dialect, never changed. */
typedef struct SimPyTokens SimPyTokens;
Result simpy_tokens_make(SimPyTokens **made, const Tables *tables); /* CANNOT: a pattern that this lexer does not know */
/* Make them those of a dialect that implies closing brackets (`%open`), as simpy_grammar.implied_closers says: `ends` are the keys that
   imply them, with a NUL after each; `parameters` closes what opens parameters, and is empty if the grammar implies it. */
Result simpy_tokens_imply(SimPyTokens *tokens, const Tables *tables, const char *ends, size_t size, const char *parameters, size_t parameters_size);
/* Make them those of a dialect with so many aliases of names. */
Result simpy_tokens_alias(SimPyTokens *tokens, const Tables *tables, int count);
void simpy_tokens_free(SimPyTokens *tokens);
Result simpy_reader_new(Reader **made, const Tables *tables, const SimPyTokens *tokens);
/* Read a whole text, in the same pieces as Python: where a piece ends, a string with fields may have two texts in place of one. */
Result simpy_read_all(Reader *reader, const char *text, size_t size);

typedef struct PythonTokens PythonTokens;
Result python_tokens_make(PythonTokens **made, const Tables *tables);
void python_tokens_free(PythonTokens *tokens);
Result python_reader_new(Reader **made, const Tables *tables, const PythonTokens *tokens);

/* The names beyond ASCII that the reader of Python has read since it was last asked, and how many there are; their texts are in the
   stream until lexemes are dropped. Only Python can say whether they are names (str.isidentifier), so the binding asks it. */
size_t python_reader_odd_names(Reader *reader, const Lexeme **names);

#endif
