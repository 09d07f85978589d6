#include "module.h"

PyMethodDef tree_methods[] = {{NULL, NULL, 0, NULL}};
