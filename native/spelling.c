#include "module.h"

PyMethodDef spelling_methods[] = {{NULL, NULL, 0, NULL}};
