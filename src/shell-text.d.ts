/** Shell programs that are sent to targets are imported as text. */
declare module '*.sh?raw' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: the form in which bundlers give text
  export default text;
}
