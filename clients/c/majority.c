// The most frequent class of images, in plain C: cc -O2 -o majority majority.c, and command = ["./majority"]. Nothing needs Python.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[1 << 20], body[1 << 26], path[4200];
static size_t majority, counts[1 << 16];

// Reads the blocks of a message, counts training labels, and gives the rows of the first block.
static size_t blocks(size_t rows) {
  for (char *at = line; (at = strstr(at, "{\"name\":\"")); at++) {
    char *end = strstr(at, "\"shape\":[") + 8, *type = strstr(at, "\"type\":\"") + 8;
    size_t bytes = type[1] == '8' ? 1 : type[1] == '1' ? 2 : type[1] == '3' ? 4 : 8;
    if (!rows) rows = strtoull(end + 1, NULL, 10);
    while (*end != ']') bytes *= strtoull(end + 1, &end, 10);
    if (bytes > sizeof body || fread(body, 1, bytes, stdin) != bytes) exit(1);
    if (strncmp(at + 9, "train.labels", 12)) continue;
    memset(counts, 0, sizeof counts), majority = 0;
    for (uint16_t *label = (uint16_t *)body; (char *)label < body + bytes; label++) counts[*label]++;
    for (size_t class = 0; class < 1 << 16; class++) if (counts[class] > counts[majority]) majority = class;
  }
  return rows;
}

int main(void) {
  for (char type[20]; fgets(line, sizeof line, stdin) && sscanf(line, "{\"type\":\"%19[^\"]", type) && strcmp(type, "bye"); fflush(stdout)) {
    size_t rows = blocks(0);
    char *folder = strstr(line, "\"folder\":\""), *answer = !strcmp(type, "task") ? "ready" : !strcmp(type, "fit") ? "fitted" : "echo";
    if (folder) sscanf(folder, "\"folder\":\"%4095[^\"]", path), answer = strcmp(type, "save") ? "loaded" : "saved";
    FILE *file = folder ? fopen(strcat(path, "/majority"), *answer == 's' ? "wb" : "rb") : NULL;
    if (file) *answer == 's' ? fwrite(&majority, 2, 1, file) : fread(&majority, 2, 1, file), fclose(file);
    if (!strcmp(type, "hello"))
      puts("{\"type\":\"hello\",\"protocol\":1,\"name\":\"majority\",\"version\":\"1\",\"inputs\":[\"images\"],\"targets\":[\"classes\"]}");
    else if (!strcmp(type, "footprint")) puts("{\"type\":\"footprint\",\"parameters\":1}");
    else if (strcmp(type, "predict")) printf("{\"type\":\"%s\"}\n", answer);
    else printf("{\"type\":\"predictions\",\"blocks\":[{\"name\":\"labels\",\"type\":\"u16\",\"shape\":[%zu]}]}\n", rows);
    for (size_t row = 0; row < rows && !strcmp(type, "predict"); row++) fwrite(&majority, 2, 1, stdout);
  }
}
