namespace EdgeDm.DevHub.Routing;

/// <summary>Finds the word that was probably meant.</summary>
internal static class Spelling
{
    private const int MostMistakes = 2;

    /// <summary><c> Did you mean X?</c> with the nearest word, or nothing when none is near.</summary>
    public static string DidYouMean(string word, IEnumerable<string> known)
    {
        var nearest = known
            .Where(k => Math.Abs(k.Length - word.Length) <= MostMistakes)
            .Select(k => (Word: k, Mistakes: Mistakes(word.ToUpperInvariant(), k.ToUpperInvariant())))
            // A word of which little is left is another word.
            .Where(k => k.Mistakes <= MostMistakes && k.Mistakes * 2 < k.Word.Length)
            .OrderBy(k => k.Mistakes)
            .FirstOrDefault();
        return nearest.Word is null ? "" : $" Did you mean {nearest.Word}?";
    }

    // Letters inserted, deleted, replaced, or swapped with their neighbours.
    private static int Mistakes(string left, string right)
    {
        var costs = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    costs[i, j] = i + j;
                    continue;
                }
                var replaced = costs[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                costs[i, j] = Math.Min(replaced, Math.Min(costs[i - 1, j], costs[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    costs[i, j] = Math.Min(costs[i, j], costs[i - 2, j - 2] + 1);
                }
            }
        }
        return costs[left.Length, right.Length];
    }
}
