import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { type Route, restApi, serve } from "./gateway.fixture.ts";

// What AWS does not document is in Velocity's user guide: https://velocity.apache.org/engine/1.7/user-guide.html

const body = {
  a: 1,
  s: 'x"y',
  o: { foo: "bar", l: [1, { a: "b" }] },
  l: [1, "two", { k: "v" }],
  none: [],
};

const templates: [title: string, template: string, text: string][] = [
  ["the raw body", "$input.body", JSON.stringify(body)],
  ["JSON of a part", "$input.json('$.o') $input.json('$.s')", `${JSON.stringify(body.o)} "x\\"y"`],
  ["JSON of a missing value", "$input.json('$.nope')", '""'],
  ["an object, as Java prints a map", "$input.path('$.o')", '{foo=bar, l=[1,{"a":"b"}]}'],
  ["a list, as JSON", "$input.path('$.l')", '[1,"two",{"k":"v"}]'],
  [
    "properties and elements of a found value",
    "$input.path('$.o').l[1].a $input.path('$').a",
    "b 1",
  ],
  ["a path without a value", "[$input.path('$.nope')]", "[]"],
  ["a path parameter before a query parameter", "$input.params('id')", "in-path"],
  ["a query parameter before a header", "$input.params('x-a')", "in-query"],
  ["a missing parameter", "[$input.params('nope')]", "[]"],
  [
    "parameters by place",
    "$input.params().header.get('x-b') $input.params().querystring.id",
    "b in-query",
  ],
  ["every parameter of a place", "$input.params().path", "{id=in-path}"],
  ["the context", "$context.httpMethod $context.stage", "POST t"],
  ["an empty text for a missing context variable", "[$context.authorizer.principalId]", "[]"],
  ["a stage variable", "$stageVariables.color ${stageVariables.color}s", "blue blues"],
  [
    "an unset reference as it is written",
    "$foo ${foo} $foo.bar() $5.00",
    "$foo ${foo} $foo.bar() $5.00",
  ],
  ["an empty text for an unset quiet reference", "[$!foo$!{foo}]", "[]"],
  ["arithmetic with whole numbers", "#set($x = 7 / 2 + 3 * 2 - 1)$x#set($y = 7 % 3)$y", "81"],
  [
    "a string in double quotes is a template, in single ones not",
    `#set($x = "t")#set($d = "a$x")#set($q = 'a$x')$d $q`,
    "at a$x",
  ],
  [
    "one of several branches",
    "#if($input.path('$.a') == 2)two#elseif($foo)foo#{else}else#end",
    "else",
  ],
  [
    "conditions with !, &&, > and ||",
    "#if(!$foo && ($input.path('$.a') > 0 || false))yes#end",
    "yes",
  ],
  [
    "index, count and hasNext of a loop",
    "#foreach($i in $input.path('$.l'))$foreach.index/$foreach.count#if($foreach.hasNext),#end#end",
    "0/1,1/2,2/3",
  ],
  ["a loop over a range", "#foreach($i in [1..3])$i#end", "123"],
  [
    "a loop over keys and over entries",
    "#foreach($k in $input.path('$.o').keySet())$k,#end#foreach($e in $input.path('$.o').entrySet())$e.key;#end",
    "foo,l,foo;l;",
  ],
  [
    "a loop that ends at #break",
    "#foreach($i in [1, 2, 3])#if($i == 2)#break#end$i#end-#foreach($i in [4])$i#end",
    "1-4",
  ],
  [
    "a loop over a map that ends at #break",
    "#foreach($v in $input.path('$.o'))#break#end#foreach($i in [4])$i#end",
    "4",
  ],
  ["nothing after #stop", "a#stop b", "a"],
  ["nothing of a comment", "a## not this\n#* nor this *#b", "ab"],
  [
    "the methods of a list",
    "#set($l = [])#set($ok = $l.add('x'))$!l.add('y') $l $l.size() $l.get(0) $l.contains('y')",
    "true [x, y] 2 x true",
  ],
  [
    "the methods of a map",
    "#set($m = {})$!m.put('a', 1)$!m.put('a', 2) $m $m.a $m.containsKey('b') $m.isEmpty()",
    "1 {a=2} 2 false false",
  ],
  [
    "a string's methods",
    "#set($t = 'Hello')$t.substring(1, 3) $t.replaceAll('l+', 'L') $t.split('l').size() $t.toString() $t.isEmpty() $t.contains('ell')",
    "el HeLo 3 Hello false true",
  ],
  ["every occurrence of a text replaced", "#set($t = 'a.b.a')$t.replace('a', 'c')", "c.b.c"],
  [
    "a map's entries",
    "#set($m = {'a': 1})$m.entrySet() #foreach($e in $m.entrySet())$e.getKey()$e.value#end",
    "[a=1] a1",
  ],
  ["putAll of a map", "#set($m = {'a': 1})$!m.putAll({'b': 2})$m", "{a=1, b=2}"],
  [
    "URLs, a space as a plus",
    "$util.urlEncode('a b&/') $util.urlDecode('a+b%26')",
    "a+b%26%2F a b&",
  ],
  ["URLs as Java encodes them", `$util.urlEncode("a-_.*~'()!é")`, "a-_.*%7E%27%28%29%21%C3%A9"],
  ["base64", "$util.base64Encode('hi') $util.base64Decode('aGk=')", "aGk= hi"],
  ["escapeJavaScript", `$util.escapeJavaScript('a"b')`, 'a\\"b'],
  ["parseJson", `$util.parseJson('{"a":[1,2]}').a[1]`, "2"],
];

let api: Awaited<ReturnType<typeof serve>>;
/** Sends back what it gets, so that what a template made of a request can be read. */
let mirror: Server;

beforeAll(async () => {
  mirror = createServer((req, res) => void req.pipe(res)).listen(0, "127.0.0.1");
  await once(mirror, "listening");
  const uri = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/`;
  const routes = templates.map(([, template], i): [string, Route] => [
    `POST /${i}/{id}`,
    {
      integration: {
        type: "HTTP",
        integrationHttpMethod: "POST",
        uri,
        requestTemplates: { "application/json": template },
      },
      responses: { "200": {} },
    },
  ]);
  const stage = { variables: { color: "blue" } };
  api = await serve(restApi(Object.fromEntries(routes), { stage }));
});
afterAll(async () => {
  await api.stop();
  mirror.closeAllConnections();
  mirror.close();
});

test.each(templates.map((each, i) => [...each, i] as const))(
  "a template has %s",
  async (_, __, text, i) => {
    const answer = await api.call(`/t/${i}/in-path?id=in-query&x-a=in-query`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-a": "in-header", "x-b": "b" },
      body: JSON.stringify(body),
    });
    expect(answer).toMatchObject({ status: 200, text });
  },
);

test("an empty body is an empty object, a body that is no JSON is text", async () => {
  const post = (said: string) =>
    api.call("/t/0/x", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: said,
    });
  expect((await post("")).text).toBe("{}");
  expect((await post("hello")).text).toBe("hello");
});
