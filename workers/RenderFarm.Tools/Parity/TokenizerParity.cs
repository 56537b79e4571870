using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Tools.Parity;

/// <summary>
/// <c>tokenizer_cases.json</c>: texts with the ids and pieces that <c>spiece.model</c> beside it must give. Raw pieces: the
/// texts are not cleaned and no end piece is added.
/// </summary>
internal static class TokenizerParity
{
    public static void Check(ParityFile file)
    {
        var cases =
            JsonSerializer.Deserialize(File.ReadAllText(file.Path), TokenizerCasesJson.Default.CaseArray)
            ?? throw new JsonException($"'{file.Name}' holds null instead of a list of cases");
        var tokenizer = SentencePieceTokenizer.Load(Path.Combine(file.Directory, "spiece.model"));
        var (ids, pieces) = (new List<int>(), new List<int>()); // Indexes of the cases that differ
        for (var i = 0; i < cases.Length; i++)
        {
            var tokens = tokenizer.Tokenize(cases[i].Text);
            if (!tokens.Select(token => token.Id).SequenceEqual(cases[i].Ids))
            {
                ids.Add(i);
            }

            if (!tokens.Select(token => token.Text).SequenceEqual(cases[i].Pieces))
            {
                pieces.Add(i);
            }
        }

        Report(file, "ids", ids, cases.Length);
        Report(file, "pieces", pieces, cases.Length);
    }

    private static void Report(ParityFile file, string what, List<int> different, int count) =>
        file.Report.Line(
            file.Name,
            what,
            different.Count == 0 ? $"{count} exact" : $"cases {string.Join(", ", different.Take(10))} of {count} differ",
            pass: different.Count == 0 && count > 0
        );

    internal sealed record Case
    {
        public required string Text { get; init; }
        public required int[] Ids { get; init; }
        public required string[] Pieces { get; init; }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TokenizerParity.Case[]))]
internal sealed partial class TokenizerCasesJson : JsonSerializerContext;
