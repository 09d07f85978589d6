#include "module.h"

PyMethodDef learning_methods[] = {{NULL, NULL, 0, NULL}};
