#include "module.h"

PyMethodDef reading_methods[] = {{NULL, NULL, 0, NULL}};
