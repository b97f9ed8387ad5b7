using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tensorial.Tests.Cli;

/// <summary>Says what in a Kubernetes Job is not as its schema (kubernetes-job.json) has it. Fields without a schema are mistakes.</summary>
internal sealed class JobSchema
{
    private readonly JsonElement _root = JsonDocument
        .Parse(File.ReadAllText(Path.Combine(Oracles.Repository, "tests", "Tensorial.Tests", "Cli", "kubernetes-job.json")))
        .RootElement;

    /// <summary>The mistakes of a job, each with its path; empty for none.</summary>
    public IReadOnlyList<string> MistakesOf(JsonElement job) => [.. Check(job, _root, "job"), .. Across(job)];

    private IEnumerable<string> Check(JsonElement value, JsonElement schema, string path)
    {
        if (schema.TryGetProperty("$ref", out JsonElement name))
            schema = _root.GetProperty("definitions").GetProperty(name.GetString()!);
        string type = schema.GetProperty("type").GetString()!;
        if (type != TypeOf(value))
            return [$"{path} is {TypeOf(value)}, not {type}"];
        return type switch
        {
            "object" => OfObject(value, schema, path),
            "array" => OfArray(value, schema, path),
            "string" => OfString(value.GetString()!, schema, path),
            "integer" => value.GetInt64() < (Bound(schema, "minimum") ?? long.MinValue) ? [$"{path} is too small"] : [],
            _ => [],
        };
    }

    private IEnumerable<string> OfObject(JsonElement value, JsonElement schema, string path)
    {
        foreach (string required in Texts(schema, "required"))
            if (!value.TryGetProperty(required, out _))
                yield return $"{path} has no {required}";
        string[] choices = [.. Texts(schema, "oneOf")];
        if (choices.Length > 0 && choices.Count(choice => value.TryGetProperty(choice, out _)) != 1)
            yield return $"{path} has not one of {string.Join(", ", choices)}";
        foreach (JsonProperty field in value.EnumerateObject())
        {
            JsonElement own = default;
            bool isKnown =
                schema.TryGetProperty("properties", out JsonElement properties) && properties.TryGetProperty(field.Name, out own)
                || schema.TryGetProperty("additionalProperties", out own);
            foreach (
                string mistake in isKnown ? Check(field.Value, own, $"{path}.{field.Name}") : [$"{path}.{field.Name} is no field of it"]
            )
                yield return mistake;
        }
    }

    private IEnumerable<string> OfArray(JsonElement value, JsonElement schema, string path)
    {
        int count = value.GetArrayLength();
        if (count < (Bound(schema, "minItems") ?? 0) || count > (Bound(schema, "maxItems") ?? int.MaxValue))
            yield return $"{path} has {count} items";
        int place = 0;
        foreach (JsonElement item in value.EnumerateArray())
        foreach (string mistake in Check(item, schema.GetProperty("items"), $"{path}[{place++}]"))
            yield return mistake;
    }

    private static IEnumerable<string> OfString(string value, JsonElement schema, string path)
    {
        string[] allowed = [.. Texts(schema, "enum")];
        if (allowed.Length > 0 && !allowed.Contains(value))
            yield return $"{path} is '{value}', not one of {string.Join(", ", allowed)}";
        if (schema.TryGetProperty("pattern", out JsonElement pattern) && !Regex.IsMatch(value, pattern.GetString()!))
            yield return $"{path} '{value}' is not of the form {pattern}";
        if (value.Length > (Bound(schema, "maxLength") ?? int.MaxValue))
            yield return $"{path} is too long";
    }

    /// <summary>What the API server checks between fields, after the descriptions of JobSpec and PodFailurePolicy.</summary>
    private static IEnumerable<string> Across(JsonElement job)
    {
        JsonElement spec = job.GetProperty("spec"),
            pod = spec.GetProperty("template").GetProperty("spec");
        bool isIndexed = spec.TryGetProperty("completionMode", out JsonElement mode) && mode.GetString() == "Indexed",
            isNever = pod.GetProperty("restartPolicy").GetString() == "Never";
        if (isIndexed && !spec.TryGetProperty("completions", out _))
            yield return "an Indexed job without completions";
        if (spec.TryGetProperty("backoffLimitPerIndex", out _) && !(isIndexed && isNever))
            yield return "backoffLimitPerIndex without completionMode Indexed and restartPolicy Never";
        string?[] containers =
            [.. pod.GetProperty("containers").EnumerateArray().Select(static own => own.GetProperty("name").GetString())],
            volumes = pod.TryGetProperty("volumes", out JsonElement listed)
                ? [.. listed.EnumerateArray().Select(static own => own.GetProperty("name").GetString())]
                : [];
        foreach (JsonElement container in pod.GetProperty("containers").EnumerateArray())
            if (container.TryGetProperty("volumeMounts", out JsonElement mounts))
                foreach (JsonElement mount in mounts.EnumerateArray())
                    if (!volumes.Contains(mount.GetProperty("name").GetString()))
                        yield return $"{mount} mounts no volume of the pod";
        if (!spec.TryGetProperty("podFailurePolicy", out JsonElement policy))
            yield break;
        if (!isNever)
            yield return "podFailurePolicy without restartPolicy Never";
        foreach (JsonElement rule in policy.GetProperty("rules").EnumerateArray())
            if (rule.TryGetProperty("onExitCodes", out JsonElement codes))
            {
                if (codes.TryGetProperty("containerName", out JsonElement named) && !containers.Contains(named.GetString()))
                    yield return $"onExitCodes names {named}, no container of the pod";
                int[] values = [.. codes.GetProperty("values").EnumerateArray().Select(static code => code.GetInt32())];
                if (!values.SequenceEqual(values.Distinct().Order()))
                    yield return "exit codes that are not in order";
                if (codes.GetProperty("operator").GetString() == "In" && values.Contains(0))
                    yield return "operator In with exit code 0";
            }
    }

    private static IEnumerable<string> Texts(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out JsonElement list) ? list.EnumerateArray().Select(static text => text.GetString()!) : [];

    private static long? Bound(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out JsonElement bound) ? bound.GetInt64() : null;

    private static string TypeOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
            _ => "null",
        };
}
