// What the interpreter's life needs of TLS: tls.c.
#ifndef KEELBACK_TLS_H
#define KEELBACK_TLS_H

void tls_deinit(void);      // before the heap goes

#endif
