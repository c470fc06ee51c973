# A build, and another after a change.
mkdir -p /root/build && cd /root/build || exit 1
for n in 1 2 3; do printf 'int f%s(void) { return %s; }\n' $n $n >f$n.c; done
printf 'int f1(void), f2(void), f3(void);\nint main(void) { return f1() + f2() + f3() == 6 ? 0 : 1; }\n' >main.c
printf 'all: prog\nprog: f1.o f2.o f3.o main.o\n\tgcc -o $@ $^\ntest: prog\n\t./prog\ninstall: prog\n\tinstall -D prog $(DESTDIR)/opt/prog/bin/prog\n' >Makefile
make -j2 && make test && make install
touch f2.c && make && strip prog && ar rc libf.a f1.o f2.o f3.o
