/**
 * Stands in the build for supabase-js' administration of users, which takes the secret key and so has no place in a browser.
 * Named as supabase-js names it.
 */
export default class GoTrueAdminApi {}
