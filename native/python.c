#include "module.h"

PyMethodDef python_methods[] = {{NULL, NULL, 0, NULL}};
