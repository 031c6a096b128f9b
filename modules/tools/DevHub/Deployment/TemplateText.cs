using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace EdgeDm.DevHub.Deployment;

/// <summary>A file's text with its <c>${...}</c> expanded, which still knows where each character came from.</summary>
internal sealed partial class TemplateText
{
    private readonly string original;
    private readonly List<Replacement> replacements = [];

    /// <summary>Expands.</summary>
    /// <param name="file">Its name in errors.</param>
    /// <param name="original">The text.</param>
    /// <param name="resolve">
    /// The value of what stands between the braces; null leaves the placeholder as it is. An
    /// <see cref="ArgumentException"/> becomes an error at the placeholder's place.
    /// </param>
    public TemplateText(string file, string original, Func<string, string?> resolve)
    {
        File = file;
        this.original = original;
        Expanded = Expand(resolve);
    }

    public string File { get; }

    public string Expanded { get; }

    /// <summary>An error at a place of <see cref="Expanded"/>.</summary>
    public DeploymentException ErrorAt(int expandedIndex, string what) =>
        ErrorAtOriginal(ToOriginal(expandedIndex), what);

    [GeneratedRegex("""\$\{(?<name>MODULEDIR<[^<>"\r\n]+>[^{}"\r\n]*|[^{}"\r\n]+)\}""", RegexOptions.None, 5000)]
    private static partial Regex Placeholder();

    private string Expand(Func<string, string?> resolve)
    {
        var result = new StringBuilder(original.Length);
        var copied = 0;
        var strings = new StringScanner(original);
        foreach (Match match in Placeholder().Matches(original))
        {
            if (Resolve(match, resolve) is not { } value)
            {
                continue;
            }
            var text = strings.IsInString(match.Index)
                ? JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value)
                : value;
            result.Append(original, copied, match.Index - copied);
            replacements.Add(new(result.Length, text.Length, match.Index, match.Length));
            result.Append(text);
            copied = match.Index + match.Length;
        }
        return result.Append(original, copied, original.Length - copied).ToString();
    }

    private string? Resolve(Match match, Func<string, string?> resolve)
    {
        try
        {
            return resolve(match.Groups["name"].Value);
        }
        catch (ArgumentException error)
        {
            throw ErrorAtOriginal(match.Index, error.Message);
        }
    }

    private int ToOriginal(int index)
    {
        var shift = 0;
        foreach (var replacement in replacements.TakeWhile(r => r.Start <= index))
        {
            if (index < replacement.Start + replacement.Length)
            {
                return replacement.OriginalStart;
            }
            shift = replacement.OriginalStart + replacement.OriginalLength - replacement.Start - replacement.Length;
        }
        return Math.Clamp(index + shift, 0, original.Length);
    }

    private DeploymentException ErrorAtOriginal(int index, string what)
    {
        var before = original.AsSpan(0, index);
        var line = before.Count('\n') + 1;
        var column = index - (before.LastIndexOf('\n') + 1) + 1;
        return new(File, line, column, what);
    }

    private sealed record Replacement(int Start, int Length, int OriginalStart, int OriginalLength);

    /// <summary>Tells, going forward, whether a place lies in a JSON string, where a value must be escaped.</summary>
    private sealed class StringScanner(string text)
    {
        private int position;
        private bool inString;

        public bool IsInString(int index)
        {
            for (; position < index; position++)
            {
                if (text[position] == '"')
                {
                    inString = !inString;
                }
                else if (inString && text[position] == '\\')
                {
                    position++;
                }
            }
            return inString;
        }
    }
}
