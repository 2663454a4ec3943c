// @stoqey/ib for a program in another language: calls come in as lines of JSON, callbacks go out as lines of JSON.
//
//     node bridge.mjs DIRECTORY_OF_NODE_MODULES HOST PORT CLIENT_ID
//
// What the client could not decode is the callback "trouble"; errors are (id, code, text). Ends with its input.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, host, port, clientId] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const library = require("@stoqey/ib");
const { IBApi, ErrorCode } = library;

// What is not told and what JSON has no word for.
function plain(key, value) {
    if (value instanceof Map) return [...value.entries()];
    if (typeof value === "bigint") return Number(value);
    if (typeof value === "number" && !Number.isFinite(value)) return value > 0 ? "Infinity" : value < 0 ? "-Infinity" : null;
    return value === undefined ? null : value;
}

function tell(event, args) {
    process.stdout.write(JSON.stringify({ event, args: args.map((arg) => arg ?? null) }, plain) + "\n");
}

const ib = new IBApi({ host, port: Number(port), clientId: Number(clientId), maxReqPerSec: 200 });
const ignored = new Set(["sent", "received", "result"]);

ib.on("all", (event, args) => {
    if (ignored.has(event)) return;
    if (event === "error") {
        const [error, code, reqId] = args;
        if (code === ErrorCode.UNKNOWN_ID || code === ErrorCode.UPDATE_TWS) tell("trouble", [error.message]);
        else tell("error", [reqId, code, error.message]);
    } else if (event === "info") {
        tell("error", [-1, args[1], args[0]]);
    } else {
        tell(event, args);
    }
});
// The client throws when nobody listens to this one.
ib.on("error", () => {});

process.on("uncaughtException", (error) => tell("trouble", [String(error.stack)]));

createInterface({ input: process.stdin })
    .on("line", (line) => {
        const { call, args } = JSON.parse(line, (key, value) =>
            value?.$enum ? library[value.$enum[0]][value.$enum[1]] : value,
        );
        ib[call](...args);
    })
    .on("close", () => {
        ib.disconnect();
        setTimeout(() => process.exit(0), 50);
    });

ib.connect();
