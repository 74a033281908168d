/* SPDX-License-Identifier: MIT */
/* image.h - from a file to a process ready to run
 *
 * Three steps.  image_find says what a file is and follows "#!" lines until a program is found
 * (guest, host or unknown); image_load maps a guest program, its interpreter and the vDSO;
 * image_stack builds the initial stack.  Nothing before image_load changes the address space.
 *
 * Names are guest names: they are looked up under the prefix (-L) first, links inside it resolved
 * as if the prefix were the root, and then in the host's tree.
 *
 * Failures are -errno as Linux's execve gives, with one line for the user in err and the exit
 * status dragoman should end with.
 *
 * The vDSO and time without system calls: base/vdso.h tells translators what to do. */
#ifndef LOADER_IMAGE_H
#define LOADER_IMAGE_H

#include "base/guest.h"
#include "base/word.h"

enum { IMAGE_PATH = 4096, IMAGE_ERR = 1024, IMAGE_AUXV = 40, IMAGE_SCRIPTS = 5 };

enum imagekind {
	IMAGE_GUEST,                   /* img->guest translates it */
	IMAGE_NATIVE,                  /* built for the host: the kernel runs it */
	IMAGE_FOREIGN,                 /* some other machine, or no ELF file: the host's kernel may know more */
};

struct image_error { int status; char text[IMAGE_ERR]; };

/* What to run, after "#!" lines.  Its names live until image_done. */
struct program {
	enum imagekind kind;
	const struct guest *guest;     /* IMAGE_GUEST */
	int fd;                        /* the open program; the caller's to close */
	char *path;                    /* the host path fd was opened by; */
	int isreal;                    /* it is absolute and without links */
	const char *name;              /* the name it was asked by (interpreter of a script: its name) */
	const char *interp;            /* PT_INTERP as the file says, or "" */
	const char *interp_path;       /* the host path found for it, or "" */
	int interp_fd, interp_isreal;  /* as above; -1 if there is none */
	u32 mode, uid, gid;            /* st_mode and owner of the program, for set-id bits */
	const char *prefix;
	int nscript;                   /* "#!" lines followed; then argv[script_arg] is the script's name, */
	int script_arg;
	char *script_path;             /* ... and this its host path, for a native interpreter */
	char **argv; int argc;         /* the arguments after them; malloc'd array, strings owned below */
	char *owned[4 * IMAGE_SCRIPTS + 4]; int nowned;
	struct image_error err;
};

/* path: host path of the file to run; name: as the guest named it (becomes argv of a script's
 * interpreter).  prefix may be 0; it must live as long as the record.  argv is copied shallowly.
 * 0 or -errno. */
int image_find(struct program *, const char *path, const char *name, char *const argv[],
               const char *prefix);
void image_done(struct program *);             /* closes fd, frees */

/* Host path of a guest name; 0 or -ENOENT, -ELOOP, -ENAMETOOLONG.  out: IMAGE_PATH bytes.
 * The file need not exist in the host's tree: then out is the name itself. */
int image_lookup(const char *prefix, const char *name, char *out);

struct image {
	const struct guest *guest;
	char *real;                    /* the program's name, absolute and without links; malloc'd */
	gaddr entry;                   /* where the first instruction is: the interpreter's if there is one */
	gaddr prog_entry, bias;        /* AT_ENTRY; load bias of the program */
	gaddr interp_base;             /* AT_BASE: load bias of the interpreter, 0 without one */
	gaddr phdr; int phnum, phent;  /* program headers in guest memory */
	gaddr code0, code1, data0, data1;      /* the program's text and data */
	gaddr low, high;               /* the program's lowest and highest mapped address */
	u32 property;                  /* GNU_PROPERTY_*_FEATURE_1_AND of what starts first */
	u8 execstack, is_static;       /* PT_GNU_STACK asks for it (or is missing on old machines) */
	gaddr vdso, sigreturn;         /* the vDSO's base; its signal trampoline; 0: none */
	/* after image_stack */
	gaddr sp, stack0;              /* initial sp; highest stack address */
	gaddr arg0, arg1, env0, env1;  /* strings, ends exclusive */
	u64 auxv[IMAGE_AUXV][2]; int nauxv;    /* AT_NULL included */
	struct image_error err;
};

/* gmem_init has been called for p->guest. */
int image_load(struct image *, const struct program *p);
/* Maps a library of p's guest where its ld.so would have it; *bias.  0 or -errno. */
int image_maplibrary(const struct program *p, int fd, const char *path, gaddr *bias);

/* What the auxiliary vector says that the loader cannot know. */
struct start {
	char *const *argv, *const *envp;
	const char *execfn;            /* AT_EXECFN */
	const char *platform, *baseplatform;   /* or 0 */
	u64 hwcap[4];                  /* AT_HWCAP, AT_HWCAP2, 3, 4 */
	u64 minsigstack;               /* AT_MINSIGSTKSZ, 0: none */
	u64 stacksize;                 /* -s: at least this much stack; 0: RLIMIT_STACK alone decides */
	u32 secure;                    /* AT_SECURE */
	int hasseed; u64 seed;         /* -seed: AT_RANDOM's bytes follow from it */
};
int image_stack(struct image *, const struct start *);

#endif
